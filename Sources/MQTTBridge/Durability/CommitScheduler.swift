import Locking

/// The object that a ``CommitScheduler`` calls.
protocol CommitTarget: AnyObject, Sendable {
    /// Commits the pending changes, if the store is usable.
    func commitPending()

    /// The current number of commits, if it differs from `commits` and new changes are pending; otherwise nil.
    func commits(newerThan commits: UInt64) -> UInt64?

    /// The number of commits so far.
    var commits: UInt64 { get }

    /// Tries a failed store again.
    func retry()

    /// Continues to read stored messages for a broker.
    func readOn(for broker: String)
}

/// Decides when to commit: at once, some milliseconds after the first change that can wait, or after a pause when the
/// store has failed. Calls its target on a serial queue of its own.
final class CommitScheduler: Sendable {
    /// How soon pending changes are to be committed.
    enum Urgency: Int, Comparable {
        /// With the next commit, or after 20 ms without one.
        case soon
        /// At once.
        case now

        static func < (left: Urgency, right: Urgency) -> Bool { left.rawValue < right.rawValue }
    }

    private struct State {
        weak var target: (any CommitTarget)?
        var isSoonDue = false
        var isRetryDue = false
        /// When to read next for each broker.
        var reads: [String: ContinuousClock.Instant] = [:]
    }

    /// The time in which changes of listeners wait for an inbound batch to be committed with.
    private static let soon = Duration.milliseconds(20)

    private let queue: any WorkQueue
    private let now: @Sendable () -> ContinuousClock.Instant
    private let state = Locked(State())

    init(_ timing: Timing = .system) {
        queue = timing.makeQueue("mqtt-bridge.store")
        now = timing.now
    }

    private var target: (any CommitTarget)? { state.withLock { $0.target } }

    /// Sets the target, which is not retained. Before this call and after ``stop()`` nothing is called.
    func start(_ target: any CommitTarget) { state.withLock { $0.target = target } }

    func stop() { state.withLock { $0.target = nil } }

    func schedule(_ urgency: Urgency) {
        switch urgency {
        case .now: queue.run { [self] in target?.commitPending() }
        case .soon:
            let target = state.withLock { state -> (any CommitTarget)? in
                guard !state.isSoonDue else { return nil }
                state.isSoonDue = state.target != nil
                return state.target
            }
            if let target { wait(from: target.commits) }
        }
    }

    private func wait(from commits: UInt64) {
        queue.run(after: Self.soon) { [self] in
            let target = target
            if let later = target?.commits(newerThan: commits) { return wait(from: later) }
            state.withLock { $0.isSoonDue = false }
            target?.commitPending()
        }
    }

    /// Schedules a retry after a pause that grows from 0.5 s to 5 s.
    func retry(afterFailures failures: Int) {
        let isFirst = state.withLock { state in
            defer { state.isRetryDue = true }
            return !state.isRetryDue
        }
        guard isFirst else { return }
        let pause = min(5_000, 250 << min(failures, 5))
        queue.run(after: .milliseconds(pause)) { [self] in
            state.withLock { $0.isRetryDue = false }
            target?.retry()
        }
    }

    /// Schedules reading for a broker. An earlier time that is scheduled already has precedence.
    func readOn(for broker: String, after delay: Duration) {
        let time = now() + delay
        let isEarliest = state.withLock { state in
            if let next = state.reads[broker], next <= time { return false }
            state.reads[broker] = time
            return true
        }
        guard isEarliest else { return }
        queue.run(after: delay) { [self] in
            state.withLock { if $0.reads[broker] == time { $0.reads[broker] = nil } }
            target?.readOn(for: broker)
        }
    }
}
