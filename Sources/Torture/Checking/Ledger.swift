internal import Locking

/// A ``Checker`` that several threads write into.
final class Ledger: Sendable {
    private struct State {
        var checker: Checker
        var lastSighting = ContinuousClock.now
    }

    /// How many topics the traffic is spread over.
    let keys: Int
    private let state: Locked<State>

    init(_ direction: Checker.Direction, keys: Int = 8) {
        self.keys = keys
        state = Locked(State(checker: Checker(direction, keys: keys)))
    }

    /// The counts as they are.
    var checker: Checker { state.withLock { $0.checker } }
    /// How many messages are in it.
    var sent: Int { state.withLock { $0.checker.sent } }
    /// How many of them were promised.
    var promised: Int { state.withLock { $0.checker.promised } }
    /// How many sightings there were.
    var sightings: Int { state.withLock { $0.checker.sightings } }
    /// Whether everything promised was seen.
    var isComplete: Bool { state.withLock { $0.checker.missing == 0 } }
    /// How long nothing was seen.
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
