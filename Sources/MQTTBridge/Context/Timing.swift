package import Dispatch

/// Runs work one piece after the other, in the order in which it was given, on whatever thread.
package protocol WorkQueue: Sendable {
    /// Runs the work as soon as what was given before has ended.
    func run(_ work: @escaping @Sendable () -> Void)

    /// Runs the work after a while.
    func run(after delay: Duration, _ work: @escaping @Sendable () -> Void)
}

extension DispatchQueue: WorkQueue {
    package func run(_ work: @escaping @Sendable () -> Void) { async(execute: work) }

    package func run(after delay: Duration, _ work: @escaping @Sendable () -> Void) {
        asyncAfter(deadline: .now() + .nanoseconds(Int(delay.nanoseconds)), execute: work)
    }
}

extension WorkQueue {
    /// Returns when the work has ended, or after a while. Work that ignores cancellation may then go on.
    package func wait(atMost limit: Duration, for work: @escaping @Sendable () async -> Void) async {
        let (ends, end) = AsyncStream<Never>.makeStream()
        // Owned by this call, which cancels it when it returns and does not await it: it may last as long as a listener.
        let task = Task {
            await work()
            end.finish()
        }
        run(after: limit) { end.finish() }
        for await _ in ends {}
        task.cancel()
    }
}

/// The clock, the queues and the chance that a bridge goes by. A simulation puts its own in their place.
package struct Timing: Sendable {
    /// The time at this moment.
    package let now: @Sendable () -> ContinuousClock.Instant
    /// Makes a queue; the label is for people.
    package let makeQueue: @Sendable (_ label: String) -> any WorkQueue
    /// A number from 0 to 1, for pauses that are not all the same.
    package let chance: @Sendable () -> Double

    package init(
        now: @escaping @Sendable () -> ContinuousClock.Instant,
        makeQueue: @escaping @Sendable (_ label: String) -> any WorkQueue,
        chance: @escaping @Sendable () -> Double
    ) {
        self.now = now
        self.makeQueue = makeQueue
        self.chance = chance
    }

    /// Those of the system.
    package static let system = Timing(
        now: { .now },
        makeQueue: { DispatchQueue(label: $0) },
        chance: { .random(in: 0...1) }
    )
}
