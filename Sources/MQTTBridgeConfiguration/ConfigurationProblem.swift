import Mosquitto

/// A problem in a configuration file, with its position and advice. Never contains a secret.
public struct ConfigurationProblem: Error, Sendable, Hashable, CustomStringConvertible {
    /// The path of the file, as passed to the initializer.
    public let file: String
    /// The line, from 1; 0 for the file as a whole.
    public let line: Int
    /// The column, in Unicode scalars from 1; 0 for the file as a whole.
    public let column: Int
    /// A description of the problem.
    public let message: String
    /// Advice for a correction; may be empty.
    public let advice: String

    /// One line: `FILE:LINE:COLUMN: error: MESSAGE. ADVICE`, without a position for the file as a whole.
    public var description: String {
        let path = escapedForLog(file, limit: 4_096)
        let place = line > 0 ? "\(path):\(line):\(column)" : path
        // Both may quote the file, which may contain control characters and escape sequences.
        let (message, advice) = (escapedForLog(message, limit: 4_096), escapedForLog(advice, limit: 4_096))
        return "\(place): error: \(message)" + (advice.isEmpty ? "" : ". \(advice)")
    }
}

/// All problems in a configuration file.
public struct ConfigurationProblems: Error, Sendable, CustomStringConvertible {
    /// The problems in the order of their positions, at least one. After a hundred problems, one more at the end
    /// reports the number of the others.
    public let problems: [ConfigurationProblem]

    /// One line for each problem.
    public var description: String { problems.map(\.description).joined(separator: "\n") }
}
