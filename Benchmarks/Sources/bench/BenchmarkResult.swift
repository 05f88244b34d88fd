import Foundation

/// What one benchmark measured.
struct BenchmarkResult: Encodable {
    /// One program under one condition.
    struct Row: Encodable {
        let condition: String
        let program: String
        let messages: Int
        /// Messages per second.
        let rate: Figures
        /// The median divided by that of the reference under the same condition.
        let ratio: Double
        /// Processor time for a million messages; the median.
        let processorSecondsPerMillion: Double
        /// How many acknowledgements arrived together; the median.
        let acknowledgementsPerRead: Double
        /// The least ratio that is wanted; nil for a row that only informs.
        let target: Double?
        let runs: [Hose.Run]
    }

    let title: String
    let reference: String
    let began: Date
    let machine: Machine
    let effort: Effort
    let rows: [Row]

    /// Title and table.
    var markdown: String {
        var lines = [
            "", "## \(title)", "",
            "\(machine.description); median of \(effort.repeats) interleaved runs; ratio to \(reference).", "",
            "| condition | program | messages | msg/s | minimum | maximum | ratio | CPU s per million | acks per read | target |",
            "|---|---|--:|--:|--:|--:|--:|--:|--:|---|",
        ]
        for row in rows {
            let target = row.target.map { "≥ \($0): \(row.ratio >= $0 ? "met" : "not met")" } ?? ""
            let cells = [
                row.condition, row.program, "\(row.messages)",
                Self.whole(row.rate.median), Self.whole(row.rate.minimum), Self.whole(row.rate.maximum),
                String(format: "%.2f", row.ratio), String(format: "%.1f", row.processorSecondsPerMillion),
                String(format: "%.1f", row.acknowledgementsPerRead), target,
            ]
            lines.append("| \(cells.joined(separator: " | ")) |")
        }
        return lines.joined(separator: "\n")
    }

    private static func whole(_ number: Double) -> String {
        var digits = String(Int(number.rounded()))
        var position = digits.count - 3
        while position > 0 {
            digits.insert(",", at: digits.index(digits.startIndex, offsetBy: position))
            position -= 3
        }
        return digits
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
