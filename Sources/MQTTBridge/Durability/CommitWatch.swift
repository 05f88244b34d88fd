import Locking

/// Detects a stalled commit, which blocks the committing thread and all threads that wait for the store.
final class CommitWatch: Sendable {
    typealias Instant = ContinuousClock.Instant

    enum Report: Sendable, Hashable {
        /// A commit has not ended for this long.
        case stalled(Duration)
        /// The reported commit has ended after this long.
        case recovered(Duration)
    }

    private struct State {
        var began: Instant?
        var reported: Instant?
    }

    /// With one sample per second, a stalled commit is reported within 5 s.
    private static let reportAge: Duration = .milliseconds(3_500)

    private let state = Locked(State())

    /// Calls `commit`. Calls must not overlap.
    func during<Result, Failure: Error>(_ commit: () throws(Failure) -> Result) throws(Failure) -> Result {
        state.withLock { $0.began = .now }
        defer { state.withLock { $0.began = nil } }
        return try commit()
    }

    /// To be called about once a second, on a thread that never waits for the store.
    func look(at now: Instant) -> Report? {
        state.withLock { state in
            if let reported = state.reported, state.began != reported {
                state.reported = nil
                return .recovered(reported.duration(to: now))
            }
            guard state.reported == nil, let began = state.began, began.duration(to: now) >= Self.reportAge else {
                return nil
            }
            state.reported = began
            return .stalled(began.duration(to: now))
        }
    }
}
