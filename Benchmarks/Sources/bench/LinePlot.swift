import Foundation

/// Lines over a logarithmic axis, as one panel of an SVG file that can be read on a light and on a dark page.
struct LinePlot {
    /// One line.
    struct Series {
        let name: String
        let points: [(x: Double, y: Figures)]
    }

    let title: String
    let horizontal: String
    let series: [Series]

    private static let (width, height) = (400.0, 300.0)
    private static let (left, right, top, bottom) = (58.0, 14.0, 34.0, 44.0)

    /// A file with panels beside one another, and what the lines stand for below them.
    static func document(_ panels: [LinePlot]) -> String {
        let names = panels.first?.series.map(\.name) ?? []
        let size = (width: width * Double(panels.count), height: height + 24)
        var parts = [
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 \(text(size.width)) \(text(size.height))\" "
                + "width=\"\(text(size.width))\" height=\"\(text(size.height))\" role=\"img\">", style,
        ]
        for (index, panel) in panels.enumerated() {
            parts.append("<g transform=\"translate(\(text(width * Double(index))) 0)\">")
            parts += panel.elements
            parts.append("</g>")
        }
        var x = left
        for (index, name) in names.enumerated() {
            let y = text(height + 8)
            parts.append("<path class=\"line s\(index)\" d=\"M\(text(x)) \(y)h20\"/>")
            parts.append(label(name, x: x + 26, y: height + 12, "legend"))
            x += 44 + Double(name.count) * 6.5
        }
        return (parts + ["</svg>", ""]).joined(separator: "\n")
    }

    /// Colours that differ also for the colour-blind (Okabe and Ito), on both kinds of page.
    private static let style = """
        <style>
        text { font: 11px system-ui, sans-serif; fill: #444; }
        .title { font-size: 13px; font-weight: 600; }
        .grid { stroke: #8884; stroke-width: 1; }
        .line { fill: none; stroke-width: 2; }
        .range { stroke-width: 1; fill: none; }
        .s0 { stroke: #0072b2; } .s1 { stroke: #d55e00; } .s2 { stroke: #009e73; }
        @media (prefers-color-scheme: dark) {
            text { fill: #ccc; }
            .s0 { stroke: #56b4e9; } .s1 { stroke: #e69f00; } .s2 { stroke: #2fc79b; }
        }
        </style>
        """

    private var elements: [String] {
        let points = series.flatMap(\.points)
        guard let lowest = points.map(\.y.minimum).filter({ $0 > 0 }).min(),
            let highest = points.map(\.y.maximum).max(), highest > 0
        else { return [] }
        let positions = Set(points.map(\.x)).sorted()
        let y = LogarithmicAxis(lowest: lowest, highest: highest, from: Self.height - Self.bottom, to: Self.top)
        var parts = [Self.label(title, x: Self.left, y: 18, "title")]
        for tick in y.ticks {
            let place = y.place(tick)
            let (start, end) = (Self.text(Self.left), Self.text(Self.width - Self.right))
            parts.append("<path class=\"grid\" d=\"M\(start) \(Self.text(place))H\(end)\"/>")
            parts.append(Self.label(Self.tick(tick), x: Self.left - 6, y: place + 4, "", anchor: "end"))
        }
        for position in positions {
            let place = self.place(position, in: positions)
            parts.append(Self.label(Self.tick(position), x: place, y: Self.height - 26, "", anchor: "middle"))
        }
        let middle = (Self.left + Self.width - Self.right) / 2
        parts.append(Self.label(horizontal, x: middle, y: Self.height - 8, "", anchor: "middle"))
        for (index, series) in series.enumerated() {
            let places = series.points.map { (place($0.x, in: positions), $0.y) }
            let path = places.map { "\(Self.text($0)) \(Self.text(y.place($1.median)))" }.joined(separator: "L")
            parts.append("<path class=\"line s\(index)\" d=\"M\(path)\"/>")
            for (x, figures) in places {
                let ends = [figures.minimum, figures.maximum].map { Self.text(y.place(max($0, lowest))) }
                parts.append("<path class=\"range s\(index)\" d=\"M\(Self.text(x)) \(ends[0])V\(ends[1])\"/>")
            }
        }
        return parts
    }

    /// What was measured stands at equal distances: its steps are about equal ratios, and may begin with 0.
    private func place(_ x: Double, in positions: [Double]) -> Double {
        let step = (Self.width - Self.left - Self.right) / Double(max(positions.count, 1))
        return Self.left + step * (Double(positions.firstIndex(of: x) ?? 0) + 0.5)
    }

    private static func label(_ words: String, x: Double, y: Double, _ kind: String, anchor: String = "start") -> String
    {
        "<text class=\"\(kind)\" x=\"\(text(x))\" y=\"\(text(y))\" text-anchor=\"\(anchor)\">\(words)</text>"
    }

    private static func text(_ number: Double) -> String { String(format: "%.1f", number) }

    private static func tick(_ number: Double) -> String {
        switch number {
        case 1_000_000...: "\(Digits.short(number / 1_000_000)) M"
        case 1_000...: "\(Digits.short(number / 1_000)) k"
        default: Digits.short(number)
        }
    }
}

/// An axis on which equal ratios are equal distances.
struct LogarithmicAxis {
    let lowest: Double
    let highest: Double
    let from: Double
    let to: Double

    init(lowest: Double, highest: Double, from: Double, to: Double) {
        (self.lowest, self.highest, self.from, self.to) = (lowest / 1.3, highest * 1.3, from, to)
    }

    func place(_ value: Double) -> Double { from + (to - from) * log(value / lowest) / log(highest / lowest) }

    /// 1, 2 and 5 in each power of ten; where the axis is long, only 1.
    var ticks: [Double] {
        let powers = (Int(log10(lowest).rounded(.down))...Int(log10(highest).rounded(.up))).map { pow(10, Double($0)) }
        let steps: [Double] = powers.count > 4 ? [1] : [1, 2, 5]
        return powers.flatMap { power in steps.map { $0 * power } }.filter { $0 >= lowest && $0 <= highest }
    }
}
