import Mosquitto

/// A mistake in a configuration file: where it is, what is wrong, and how to mend it. Never holds a secret.
public struct ConfigurationProblem: Error, Sendable, Hashable, CustomStringConvertible {
    /// The path of the file, as it was given.
    public let file: String
    /// The line, from 1; 0 if the file as a whole is meant.
    public let line: Int
    /// The column, in Unicode scalars from 1; 0 if the file as a whole is meant.
    public let column: Int
    /// What is wrong.
    public let message: String
    /// How to mend it.
    public let advice: String

    /// One line for people: `FILE:LINE:COLUMN: error: MESSAGE. ADVICE`, without a position if the file as a whole is
    /// meant.
    public var description: String {
        let path = escapedForLog(file, limit: 4_096)
        let place = line > 0 ? "\(path):\(line):\(column)" : path
        return "\(place): error: \(message)" + (advice.isEmpty ? "" : ". \(advice)")
    }
}

/// All the mistakes in a configuration file.
public struct ConfigurationProblems: Error, Sendable, CustomStringConvertible {
    /// The problems, in order of their positions; at least one.
    public let problems: [ConfigurationProblem]

    /// One line each.
    public var description: String { problems.map(\.description).joined(separator: "\n") }
}
