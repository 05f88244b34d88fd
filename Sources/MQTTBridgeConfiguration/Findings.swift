import Mosquitto

/// The mistakes found so far in one file, and what is needed to find and place more. Lives while the file is read.
final class Findings {
    let file: String
    let source: SourceText
    let environment: [String: String]
    /// The problems, and in which order they were found.
    private var found: [ConfigurationProblem: Int] = [:]
    /// What came out of variables, and how the file spells it: not to be shown.
    private var substituted: [String: String] = [:]

    init(file: String, source: SourceText, environment: [String: String]) {
        (self.file, self.source, self.environment) = (file, source, environment)
    }

    var isEmpty: Bool { found.isEmpty }

    func add(_ position: Position, _ message: String, _ advice: String) {
        let problem = ConfigurationProblem(
            file: file,
            line: position.line,
            column: position.column,
            message: message,
            advice: advice
        )
        if found[problem] == nil { found[problem] = found.count }
    }

    /// All of them, in order of position.
    var problems: ConfigurationProblems {
        let sorted = found.sorted { left, right in
            (left.key.line, left.key.column, left.value) < (right.key.line, right.key.column, right.value)
        }
        return ConfigurationProblems(problems: sorted.map(\.key))
    }

    func hide(_ value: String, spelling: String) {
        if !value.isEmpty { substituted[value] = spelling }
    }

    /// A message that others wrote about texts of the file, without the values of variables.
    ///
    /// A short value is only looked for between quotes, where those messages show texts of the file.
    func redacted(_ message: String) -> String {
        var message = message
        for (value, spelling) in substituted.sorted(by: { $0.key.utf8.count > $1.key.utf8.count }) {
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

    /// A path of the file: a relative one begins at the file's folder.
    func resolved(_ path: String) -> String {
        guard !path.utf8.starts(with: "/".utf8), let slash = file.utf8.lastIndex(of: UInt8(ascii: "/")) else {
            return path
        }
        return file[...slash] + path
    }
}
