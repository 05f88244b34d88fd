/// A pause that grows by chance: between the shortest and three times the one before. Pure but for the generator.
struct Backoff: Sendable {
    private var previous: Duration?

    /// The next pause.
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

    /// Something succeeded: the next pause is a short one.
    mutating func reset() {
        previous = nil
    }
}

extension Duration {
    /// Whole nanoseconds, as far as 63 bits hold them.
    var nanoseconds: Int64 {
        let (seconds, attoseconds) = components
        let (product, isTooLarge) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        let (sum, isStillTooLarge) = product.addingReportingOverflow(attoseconds / 1_000_000_000)
        return isTooLarge || isStillTooLarge ? (seconds < 0 ? .min : .max) : sum
    }

    /// Whole seconds, rounded up, within what a field of the protocol holds.
    func seconds(upTo limit: UInt32) -> UInt32 {
        guard self > .zero else { return 0 }
        let (seconds, attoseconds) = components
        guard seconds < limit else { return limit }
        return UInt32(clamping: seconds + (attoseconds > 0 ? 1 : 0))
    }
}
