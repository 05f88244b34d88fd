import Mosquitto

/// What becomes of a stored message that could not be published. Pure.
struct PublishRule {
    /// What to do.
    enum Verdict: Hashable {
        /// It stays in the store: the next connection, or the next process, publishes it.
        case keep
        /// The broker may take it later.
        case retry(after: Duration)
        /// The broker will never take it.
        case giveUp
    }

    /// A message that is refused so often is given up.
    static let attempts = 8
    private static let shortest: Duration = .milliseconds(500)
    private static let longest: Duration = .seconds(30)

    /// - Parameter attempts: How often it was refused, this time included.
    static func verdict(_ error: ClientError, attempts: Int) -> Verdict {
        switch error.code {
        case .notRunning: return .keep
        case .queueFull: return .retry(after: .milliseconds(100))
        case .rejected where mayPass(error.reason) && attempts < Self.attempts: return .retry(after: pause(attempts))
        default: return .giveUp
        }
    }

    /// Refusals that depend on how busy the broker is (MQTT 5, table 2.6); the others depend on the message.
    private static func mayPass(_ reason: ReasonCode?) -> Bool {
        switch reason {
        case .unspecifiedError?, .implementationSpecificError?, .serverBusy?, .serverUnavailable?, .quotaExceeded?,
            .receiveMaximumExceeded?, .messageRateTooHigh?:
            true
        default: false
        }
    }

    private static func pause(_ attempts: Int) -> Duration {
        min(longest, shortest * (1 << min(attempts - 1, 10))) * Double.random(in: 0.75...1.25)
    }
}
