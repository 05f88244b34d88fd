/// How often a listener is called for an event that it fails at, and how long it rests between two calls.
///
/// A call fails when it throws or exceeds its time limit. The pauses grow with jitter: each is drawn at random between
/// ``shortest`` and three times the one before, and is never above ``longest``. So listeners that failed together do
/// not come back together.
public struct RetryPolicy: Sendable, Hashable {
    /// The most calls for one event, 1 or more, the first included.
    public let attempts: Int
    /// The least pause. Zero or more.
    public let shortest: Duration
    /// The greatest pause. Not below ``shortest``.
    public let longest: Duration

    /// One call: what fails is given up at once.
    public static let never = RetryPolicy(attempts: 1)

    /// A policy.
    ///
    /// - Parameters:
    ///   - attempts: 1 or more, all in all.
    ///   - shortest: Long enough for what is down to come up again.
    ///   - longest: How long, at the most, an event rests after what was down is up again.
    public init(attempts: Int, shortest: Duration = .seconds(1), longest: Duration = .seconds(60)) {
        precondition(attempts >= 1, "a listener is called once or more")
        precondition(shortest >= .zero, "a pause is not negative")
        precondition(longest >= shortest, "the longest pause is not below the shortest")
        self.attempts = attempts
        self.shortest = shortest
        self.longest = longest
    }

    /// The next pause, drawn with a generator.
    ///
    /// - Parameter previous: The pause before; nil after the first failure, which counts as the shortest.
    package func pause(after previous: Duration?, using random: inout some RandomNumberGenerator) -> Duration {
        pause(after: previous, fraction: .random(in: 0...1, using: &random))
    }

    /// The next pause: that fraction, from 0 to 1, of the way from the least to the greatest that it may be now.
    func pause(after previous: Duration?, fraction: Double) -> Duration {
        let previous = max(previous ?? shortest, shortest)
        let limit = previous > longest / 3 ? longest : max(previous * 3, shortest)
        // In millionths: a product with a fraction would trap near the greatest duration.
        return shortest + (limit - shortest) / 1_000_000 * Int(fraction * 1_000_000)
    }
}
