import Mosquitto

/// Decides what happens to a stored message that could not be published. Pure.
struct RefusalPolicy {
    enum Verdict: Hashable {
        /// Keep the message in the store: the next connection or process publishes it.
        case keep
        /// Try again: the broker may accept the message later.
        case retry(after: Duration)
        /// Make the message a dead letter: the broker will never accept it.
        case giveUp
    }

    /// The number of refusals after which a message becomes a dead letter.
    static let attempts = 8
    private static let shortest: Duration = .milliseconds(500)
    private static let longest: Duration = .seconds(30)

    /// - Parameters:
    ///   - attempts: The number of refusals, including this one.
    ///   - chance: Returns a number from 0 to 1, for the jitter.
    static func verdict(
        _ error: ClientError,
        attempts: Int,
        chance: () -> Double = { .random(in: 0...1) }
    ) -> Verdict {
        switch error.code {
        case .notRunning: return .keep
        case .queueFull: return .retry(after: .milliseconds(100))
        case .rejected where isTransient(error.reason) && attempts < Self.attempts:
            return .retry(after: pause(attempts, chance()))
        default: return .giveUp
        }
    }

    /// Whether a refusal depends on the load of the broker and not on the message (reason codes of MQTT 5, table 2.6).
    private static func isTransient(_ reason: ReasonCode?) -> Bool {
        switch reason {
        case .unspecifiedError?, .implementationSpecificError?, .serverBusy?, .serverUnavailable?, .quotaExceeded?,
            .receiveMaximumExceeded?, .messageRateTooHigh?:
            true
        default: false
        }
    }

    private static func pause(_ attempts: Int, _ chance: Double) -> Duration {
        min(longest, shortest * (1 << min(attempts - 1, 10))) * (0.75 + chance / 2)
    }
}
