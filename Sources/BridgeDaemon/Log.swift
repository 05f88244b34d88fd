package import Logging

/// Logs go to standard error, so that standard output holds events and nothing else.
package enum Log {
    /// Sends all logs there, and returns the logger of this program.
    package static func bootstrap(_ level: Logger.Level) -> Logger {
        LoggingSystem.bootstrap { label in
            var handler = StreamLogHandler.standardError(label: label)
            handler.logLevel = level
            return handler
        }
        return Logger(label: "mqtt-bridge")
    }
}
