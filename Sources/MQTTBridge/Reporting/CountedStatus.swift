import Logging

/// A kind of message fate that ``StatusReporter`` counts and reports as a sum.
enum CountedStatus: String, Sendable {
    case deadletter
    case dropped
    case forged
    case loop
    case refused
    case stored

    /// The default log level.
    var level: Logger.Level { self == .stored ? .debug : .warning }

    var logMessage: Logger.Message {
        switch self {
        case .deadletter: "messages have become dead letters"
        case .dropped: "messages dropped"
        case .forged: "messages with the identity of another message: treated as new"
        case .loop: "messages not forwarded: loops or copies"
        case .refused: "messages refused"
        case .stored: "messages wait in the store"
        }
    }
}
