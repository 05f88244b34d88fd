internal import Locking

/// A ``Checker`` that several threads share.
final class Ledger: Sendable {
    private struct State {
        var checker: Checker
        var lastSighting = ContinuousClock.now
    }

    /// The number of topics over which traffic is spread.
    let keys: Int
    private let state: Locked<State>

    init(_ direction: Checker.Direction, keys: Int = 8) {
        self.keys = keys
        state = Locked(State(checker: Checker(direction, keys: keys)))
    }

    /// A snapshot of the checker.
    var checker: Checker { state.withLock { $0.checker } }
    /// The number of messages in the ledger.
    var sent: Int { state.withLock { $0.checker.sent } }
    /// The number of promised messages.
    var promised: Int { state.withLock { $0.checker.promised } }
    /// The number of sightings.
    var sightings: Int { state.withLock { $0.checker.sightings } }
    /// Whether all promised messages were seen.
    var isComplete: Bool { state.withLock { $0.checker.missing == 0 } }
    /// The time since the last sighting.
    var silence: Duration { state.withLock { .now - $0.lastSighting } }

    func next(key: Int) -> TestMessage { state.withLock { $0.checker.next(key: key) } }

    func promise(_ testMessage: TestMessage) { state.withLock { $0.checker.promise(testMessage) } }

    /// See ``Checker/hasRestoredCopies``.
    func expectRestoredCopies() { state.withLock { $0.checker.hasRestoredCopies = true } }

    func saw(_ sighting: Checker.Sighting) {
        state.withLock { state in
            state.checker.saw(sighting)
            state.lastSighting = .now
        }
    }
}
