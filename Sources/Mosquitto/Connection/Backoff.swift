/// A random pause between the shortest one and three times the previous one. Pure but for the generator.
struct Backoff: Sendable {
    private var previous: Duration?

    mutating func next(
        shortest: Duration,
        longest: Duration,
        using generator: inout some RandomNumberGenerator
    ) -> Duration {
        let shortest = min(shortest, longest)
        let ceiling = min(longest, max(shortest, (previous ?? shortest) * 3))
        let span = (ceiling - shortest).nanoseconds
        let pause = shortest + .nanoseconds(span > 0 ? Int64.random(in: 0...span, using: &generator) : 0)
        previous = pause
        return pause
    }

    /// The previous pause; zero if there was none.
    var last: Duration { previous ?? .zero }

    /// An attempt succeeded: the next pause is short.
    mutating func reset() {
        previous = nil
    }
}

extension Duration {
    /// Whole nanoseconds, saturating at 64 bits.
    var nanoseconds: Int64 {
        let (seconds, attoseconds) = components
        let (product, isTooLarge) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        let (sum, isStillTooLarge) = product.addingReportingOverflow(attoseconds / 1_000_000_000)
        return isTooLarge || isStillTooLarge ? (seconds < 0 ? .min : .max) : sum
    }

    /// Whole seconds, rounded up, and limited to the range of a protocol field.
    func seconds(upTo limit: UInt32) -> UInt32 {
        guard self > .zero else { return 0 }
        let (seconds, attoseconds) = components
        guard seconds < limit else { return limit }
        return UInt32(clamping: seconds + (attoseconds > 0 ? 1 : 0))
    }
}
