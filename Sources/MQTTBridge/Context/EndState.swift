import Locking

/// Whether a bridge has begun to shut down, and how many emits that has lost.
final class EndState: Sendable {
    private struct State {
        var hasBegun = false
        var unsent = 0
    }

    private let state = Locked(State())

    var hasBegun: Bool { state.withLock { $0.hasBegun } }

    func begin() { state.withLock { $0.hasBegun = true } }

    /// An emit that is not stored could not be published before the end.
    func lost(_ count: Int = 1) { state.withLock { $0.unsent += count } }

    /// The number of emits that were lost at the end of their broker.
    var unsent: Int { state.withLock { $0.unsent } }
}
