import Mosquitto

/// Collects the problems of one file while it is read.
final class ProblemCollector {
    let file: String
    let source: SourceText
    let environment: [String: String]
    /// The most problems that are reported; the others are only counted.
    static let limit = 100

    /// The problems with their order of discovery.
    private var found: [ConfigurationProblem: Int] = [:]
    private var omitted = 0
    /// Values of variables with their spelling in the file: messages must not show the values.
    private var substituted: [String: String] = [:]
    /// The bytes of these values by their length, for fast search: there may be ten thousand.
    private var values: [Int: Set<ArraySlice<UInt8>>] = [:]

    init(file: String, source: SourceText, environment: [String: String]) {
        (self.file, self.source, self.environment) = (file, source, environment)
    }

    var isEmpty: Bool { found.isEmpty }

    /// Whether further problems are only counted, so that their positions are not needed.
    var isFull: Bool { found.count >= Self.limit }

    func add(_ position: Position, _ message: String, _ advice: String) {
        guard !isFull else {
            omitted += 1
            return
        }
        let problem = ConfigurationProblem(
            file: file,
            line: position.line,
            column: position.column,
            message: message,
            advice: advice
        )
        if found[problem] == nil { found[problem] = found.count }
    }

    /// All problems, in the order of their positions.
    var problems: ConfigurationProblems {
        let sorted = found.sorted { left, right in
            (left.key.line, left.key.column, left.value) < (right.key.line, right.key.column, right.value)
        }
        var problems = sorted.map(\.key)
        if omitted > 0 {
            let message = "\(omitted) more mistakes are not shown"
            problems.append(
                ConfigurationProblem(
                    file: file,
                    line: 0,
                    column: 0,
                    message: message,
                    advice: "Mend the first ones first"
                )
            )
        }
        return ConfigurationProblems(problems: problems)
    }

    func hide(_ value: String, spelling: String) {
        guard !value.isEmpty else { return }
        substituted[value] = spelling
        values[value.utf8.count, default: []].insert(Array(value.utf8)[...])
    }

    /// Returns the values that occur in a message, the longest first.
    private func values(in message: String) -> [(value: String, spelling: String)] {
        let bytes = Array(message.utf8)
        var found: Set<String> = []
        for (length, values) in values where length <= bytes.count {
            for start in 0...bytes.count - length where values.contains(bytes[start..<start + length]) {
                found.insert(String(decoding: bytes[start..<start + length], as: UTF8.self))
            }
        }
        return found.sorted { ($0.utf8.count, $0) > ($1.utf8.count, $1) }.compactMap { value in
            substituted[value].map { (value, $0) }
        }
    }

    /// Replaces the values of variables in a message of another module about texts of the file.
    ///
    /// Short values are replaced only between quotes, where such messages show texts of the file.
    func redacted(_ message: String) -> String {
        var message = message
        for (value, spelling) in values(in: message) {
            if value.unicodeScalars.count > 3 || value.contains("\"") {
                message.replace(value, with: spelling)
            } else {
                let pieces = message.split(separator: "\"", omittingEmptySubsequences: false)
                message = pieces.enumerated().map { position, piece in
                    String(position.isMultiple(of: 2) ? piece : piece.replacing(value, with: spelling))
                }.joined(separator: "\"")
            }
        }
        return message
    }

    /// Resolves a relative path against the folder of the file.
    func resolved(_ path: String) -> String {
        guard !path.utf8.starts(with: "/".utf8), let slash = file.utf8.lastIndex(of: UInt8(ascii: "/")) else {
            return path
        }
        return file[...slash] + path
    }
}
