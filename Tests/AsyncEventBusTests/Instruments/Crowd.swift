import Locking

/// Counts who is inside, and remembers the most that were at a time.
final class Crowd: Sendable {
    private let state = Locked((inside: 0, most: 0))

    var most: Int { state.withLock { $0.most } }

    func enter() {
        state.withLock { state in
            state.inside += 1
            state.most = max(state.most, state.inside)
        }
    }

    func leave() { state.withLock { $0.inside -= 1 } }
}
