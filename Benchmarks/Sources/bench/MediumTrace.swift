import Foundation

/// What a program asked of its medium between two marks, as strace tells it.
struct MediumTrace {
    private(set) var synchronizations = 0
    private(set) var bytes = 0
    /// How many messages the program counted between the marks.
    let messages: Int

    /// What to put in front of a program.
    static func command(into file: URL) -> [String] {
        [
            "/usr/bin/env", "strace", "-f", "--seccomp-bpf", "-qq", "-yy", "-s", "64", "-e",
            "trace=write,pwrite64,fsync,fdatasync", "-o", file.path(percentEncoded: false),
        ]
    }

    /// - Parameter files: How the paths of the files begin that count.
    /// - Throws: ``ProgramFailure`` if there are no two marks, as durable-bridge writes them.
    init(_ trace: String, files: String) throws {
        // A line is PROCESS CALL(DESCRIPTOR<PATH>, …, and the rest of a call that was interrupted stands on another line.
        let calls = trace.split(separator: "\n").map { $0.drop { $0.isNumber || $0 == " " } }
            .filter { !$0.hasPrefix("<...") }
        let marks = calls.indices.compactMap { place in Self.mark(calls[place]).map { (place, $0) } }
        guard marks.count == 2 else { throw ProgramFailure("the trace has \(marks.count) marks, not 2") }
        messages = marks[1].1 - marks[0].1
        for call in calls[marks[0].0..<marks[1].0] where call.contains("<\(files)") { count(call) }
    }

    /// The number of messages at a mark.
    private static func mark(_ call: Substring) -> Int? {
        guard let range = call.firstRange(of: "\"messages that count: ") else { return nil }
        return Int(call[range.upperBound...].prefix { $0.isNumber })
    }

    private mutating func count(_ call: Substring) {
        guard call.hasPrefix("write(") || call.hasPrefix("pwrite64(") else {
            synchronizations += 1
            return
        }
        // The numbers behind the text: the count, and where pwrite64 writes it.
        let numbers = call[(call.lastIndex(of: "\"") ?? call.startIndex)...].split { !$0.isNumber }
        bytes += numbers.first.flatMap { Int($0) } ?? 0
    }
}
