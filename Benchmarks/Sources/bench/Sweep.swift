import Foundation

/// One condition that grows, all others as they are.
struct Sweep {
    /// A program, and how to run it at one point.
    struct Program {
        let name: String
        let measure: (_ point: Int, _ messages: Int) throws -> Metric.Sample
    }

    /// Part of the name of the file.
    let name: String
    /// What grows, with its unit.
    let axis: String
    let points: [Int]
    let programs: [Program]

    private static let quantities: [Metric] = [.processorMicroseconds, .messagesPerSecond, .droppedPercent]

    /// Whether a first impression has it.
    var isMain: Bool { ["payload", "topics", "routes", "listeners"].contains(name) }

    /// Only where it begins and where it ends.
    var ends: Sweep {
        Sweep(name: name, axis: axis, points: [points.first, points.last].compactMap(\.self), programs: programs)
    }

    /// The rows; their ratios refer to the same program at the first point.
    func rows(_ effort: Effort) -> [BenchmarkResult.Row] {
        var rows = points.flatMap { point in
            Comparison(
                condition: "\(axis): \(Digits.grouped(Double(point)))",
                quantities: Self.quantities,
                contenders: programs.map { program in
                    Comparison.Contender(program: program.name) { try program.measure(point, $0) }
                },
                effort: effort,
                messages: 200...1_000_000
            ).rows()
        }
        for index in rows.indices {
            let row = rows[index]
            let first = rows.first { $0.program == row.program && $0.quantity == row.quantity }?.figures?.median ?? 0
            rows[index].ratio = row.figures.flatMap { first > 0 ? $0.median / first : nil }
        }
        return rows
    }

    /// Draws what the rows say.
    func plot(_ rows: [BenchmarkResult.Row]) -> String {
        LinePlot.document(
            [Metric.processorMicroseconds, .messagesPerSecond].map { quantity in
                LinePlot(
                    title: quantity.rawValue,
                    horizontal: axis,
                    series: programs.map { program in
                        let own = points.compactMap { point -> (x: Double, y: Figures)? in
                            let condition = "\(axis): \(Digits.grouped(Double(point)))"
                            let row = rows.first {
                                $0.condition == condition && $0.program == program.name && $0.quantity == quantity
                            }
                            return row?.figures.map { (Double(point), $0) }
                        }
                        return LinePlot.Series(name: program.name, points: own)
                    }
                )
            }
        )
    }
}
