package import Logging

/// The logging system: logs go to standard error, so that standard output contains only events.
package enum Log {
    /// Sends all logs to standard error, and returns the logger of this program.
    package static func bootstrap(_ level: Logger.Level) -> Logger {
        LoggingSystem.bootstrap { label in
            var handler = StreamLogHandler.standardError(label: label)
            handler.logLevel = level
            return handler
        }
        return Logger(label: "mqtt-bridge")
    }
}
