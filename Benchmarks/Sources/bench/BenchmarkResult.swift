import Foundation

/// What one benchmark measured.
struct BenchmarkResult: Encodable {
    /// One quantity of one program under one condition.
    struct Row: Encodable {
        let condition: String
        let program: String
        let quantity: Metric?
        /// Nil where nothing could be measured.
        var figures: Figures?
        /// The median divided by that of the reference under the same condition.
        var ratio: Double?
        /// What is wanted; nil for a row that only informs.
        var target: String?
        var isMet: Bool?
        /// Messages in each run.
        var messages: Int?
        /// Why nothing could be measured.
        var problem: String?
    }

    let title: String
    /// What the ratios refer to; nil where there are none.
    let reference: String?
    let began = Date()
    let machine = Machine()
    let effort: Effort
    var rows: [Row] = []

    init(_ title: String, reference: String? = nil, effort: Effort) {
        self.title = title
        self.reference = reference
        self.effort = effort
    }

    private var comparison: String { reference.map { "; ratio to \($0)" } ?? "" }

    /// Title and table.
    var markdown: String {
        var lines = [
            "", "## \(title)", "",
            "\(machine.description); median of \(effort.repeats) interleaved runs\(comparison).", "",
            "| condition | program | median | minimum | maximum | unit | ratio | target |",
            "|---|---|--:|--:|--:|---|--:|---|",
        ]
        for row in rows { lines.append("| \(Self.cells(row).joined(separator: " | ")) |") }
        return lines.joined(separator: "\n")
    }

    private static func cells(_ row: Row) -> [String] {
        guard let figures = row.figures else {
            return [row.condition, row.program, "–", "", "", row.problem ?? "", "", ""]
        }
        let target = row.target.map { "\($0): \(row.isMet == true ? "met" : "not met")" }
        return [
            row.condition, row.program,
            Digits.grouped(figures.median), Digits.grouped(figures.minimum), Digits.grouped(figures.maximum),
            row.quantity?.rawValue ?? "", row.ratio.map { String(format: "%.2f", $0) } ?? "", target ?? "",
        ]
    }

    /// Writes all of it, every run included, as `NAME.json` into a folder, which is made if it is missing.
    func write(to folder: URL, name: String) throws -> URL {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        encoder.dateEncodingStrategy = .iso8601
        let file = folder.appending(path: "\(name).json")
        try encoder.encode(self).write(to: file)
        return file
    }
}

/// Where it was measured.
struct Machine: Encodable, CustomStringConvertible {
    let processors = ProcessInfo.processInfo.activeProcessorCount
    let system = ProcessInfo.processInfo.operatingSystemVersionString

    var description: String { "\(processors) processors, \(system)" }
}
