public import Logging

/// Remembers what is logged.
public final class LogRecorder: Sendable {
    /// A line of the log.
    public struct Line: Sendable {
        /// How severe it is.
        public let level: Logger.Level
        /// The sentence.
        public let message: String
        /// The variables.
        public let metadata: Logger.Metadata

        /// A variable as text.
        public subscript(key: String) -> String? { metadata[key].map { "\($0)" } }
    }

    private struct Handler: LogHandler {
        let lines: Locked<[Line]>
        var metadata = Logger.Metadata()
        var logLevel = Logger.Level.trace

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            let line = Line(level: event.level, message: "\(event.message)", metadata: event.metadata ?? [:])
            lines.withLock { $0.append(line) }
        }
    }

    private let recorded = Locked<[Line]>([])

    /// A recorder that nothing was logged to.
    public init() {}

    /// What was logged.
    public var lines: [Line] { recorded.withLock { $0 } }

    /// Logs here, at all levels.
    public var logger: Logger { Logger(label: "test") { [recorded] _ in Handler(lines: recorded) } }
}

extension Logger {
    /// Says nothing.
    public static var silent: Logger { Logger(label: "test") { _ in SwiftLogNoOpLogHandler() } }
}
