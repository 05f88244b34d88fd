/// The number of attempts to handle an event, and the pauses between them.
///
/// A call fails if it throws or exceeds its time limit. The pauses grow with jitter: each is random between
/// ``shortest`` and three times the previous one, and never above ``longest``. So listeners that fail together do not
/// retry together.
public struct RetryPolicy: Sendable, Hashable {
    /// The most calls for one event, 1 or more, the first included.
    public let attempts: Int
    /// The shortest pause, zero or more.
    public let shortest: Duration
    /// The longest pause, not below ``shortest``.
    public let longest: Duration

    /// One call, without a retry.
    public static let never = RetryPolicy(attempts: 1)

    /// Creates a policy.
    ///
    /// - Parameters:
    ///   - attempts: The most calls, 1 or more.
    ///   - shortest: Long enough for a failed service to recover.
    ///   - longest: The most that an event waits after the service has recovered.
    public init(attempts: Int, shortest: Duration = .seconds(1), longest: Duration = .seconds(60)) {
        precondition(attempts >= 1, "a listener is called once or more")
        precondition(shortest >= .zero, "a pause is not negative")
        precondition(longest >= shortest, "the longest pause is not below the shortest")
        self.attempts = attempts
        self.shortest = shortest
        self.longest = longest
    }

    /// Returns the next pause, drawn with a generator.
    ///
    /// - Parameter previous: The previous pause; nil after the first failure, which counts as the shortest.
    package func pause(after previous: Duration?, using random: inout some RandomNumberGenerator) -> Duration {
        pause(after: previous, fraction: .random(in: 0...1, using: &random))
    }

    /// Returns the pause at a fraction, from 0 to 1, of the way from the shortest to the longest possible next pause.
    func pause(after previous: Duration?, fraction: Double) -> Duration {
        let previous = max(previous ?? shortest, shortest)
        let limit = previous > longest / 3 ? longest : max(previous * 3, shortest)
        // In millionths: a product with a fraction would trap near the greatest duration.
        return shortest + (limit - shortest) / 1_000_000 * Int(fraction * 1_000_000)
    }
}
