internal import AsyncEventBus

/// Carries a history out with one or two real bridges between two simulated brokers, and checks the promise.
///
/// The first broker brings in `in/{key}`, or a part of it, for two named listeners; to the second one go `out/{key}` of emits,
/// `copy/{key}` of what came in, and `state/{key}`, which the broker keeps. A second bridge may hear these at the second broker, and publish them at the first. All of it is
/// durable.
package final class HistoryRun {
    /// What came of a history.
    package struct Result: Sendable, Hashable {
        /// What of the promise did not hold; empty if all of it did.
        package let breaches: [String]
        /// How many pieces of work there were, and the sum of what was seen: the same for the same history.
        package let steps: Int
        package let fingerprint: Int
    }

    let loop: EventLoop
    let setup: Setup
    let brokers = [SimulatedBroker("first"), SimulatedBroker("second")]
    let witness: Witness
    let near: SimulatedBridge
    let far: SimulatedBridge?
    var numbers: [String: Int] = [:]
    private let faults: Int

    private init(_ loop: EventLoop, _ setup: Setup) {
        self.loop = loop
        self.setup = setup
        faults = loop.makeSource()
        witness = Witness(brokers)
        near = SimulatedBridge(
            "near",
            loop,
            Array(zip(brokers, setup.versions)),
            BridgeRoutes.near(0, isRing: setup.isRing),
            [
                SimulatedBridge.Listener(name: "listener 0", pattern: "in.*"),
                SimulatedBridge.Listener(name: "listener 1", pattern: "in.*"),
                SimulatedBridge.Listener(name: "near out", pattern: "out.*", isLocal: true),
            ],
            witness
        )
        far =
            setup.hasFarBridge
            ? SimulatedBridge(
                "far",
                loop,
                Array(zip(brokers, setup.versions)),
                BridgeRoutes.far(isRing: setup.isRing),
                [
                    SimulatedBridge.Listener(name: "far copy", pattern: "copy.*"),
                    SimulatedBridge.Listener(name: "far out", pattern: "out.*"),
                    SimulatedBridge.Listener(name: "far state", pattern: "state.*"),
                ],
                witness
            ) : nil
        // An own event that comes back to a later process is heard as it comes.
        witness.promise.losesOrder(at: ["near out"])
        witness.promise.overlooksIdentity(at: setup.unrecognised)
    }

    var bridges: [SimulatedBridge] { [near, far].compactMap { $0 } }

    /// Carries a history out. To be called on a thread that does nothing else, in a process without other tasks.
    package static func run(_ history: History) -> Result {
        EventLoop.with(seed: history.seed) { loop in
            let run = HistoryRun(loop, history.setup)
            run.begin()
            for step in history.steps {
                run.carryOut(step.action)
                run.go(milliseconds: step.milliseconds)
            }
            run.finish()
            return Result(
                breaches: run.witness.promise.breaches,
                steps: loop.steps,
                fingerprint: run.witness.fingerprint.finalize()
            )
        }
    }

    /// The far bridge is subscribed before the near one publishes: of doubles it would otherwise hear the second one only, after
    /// what is newer.
    private func begin() {
        far?.begin()
        go(milliseconds: far == nil ? 0 : 1_000)
        near.begin()
    }

    // MARK: Steps

    private func go(milliseconds: Int) {
        guard loop.run(for: .milliseconds(milliseconds)) else {
            return witness.promise.breach("it goes round without an end")
        }
        witness.look()
        // A process that was killed at a commit has a successor.
        for bridge in bridges { bridge.begin() }
    }

    private func carryOut(_ action: History.Action) {
        switch action {
        case .publish(let key, let count): for _ in 0..<count { publish(key) }
        case .emit(let key, let count): for _ in 0..<count { emit("out", key) }
        case .emitState(let key, let count): for _ in 0..<count { emit("state", key) }
        case .cut(let broker): brokers[broker].cut()
        case .away(let broker, let milliseconds):
            brokers[broker].isAway = true
            brokers[broker].cut()
            loop.add(faults, after: .milliseconds(milliseconds)) { [brokers] in brokers[broker].isAway = false }
        case .loseSessions(let broker):
            brokers[broker].loseSessions()
            if broker == 1 { witness.promise.losesOrder(at: Self.farListeners) }
        case .refuse(let count):
            brokers[1].refusals += count
            // What was in flight behind a message that is refused passes it.
            witness.promise.losesOrder(at: Self.afterSecond)
        case .failCommits(let number, let count): bridges[number].medium.failures += count
        case .fillStore(let number, let milliseconds):
            let medium = bridges[number].medium
            medium.isFull = true
            loop.add(faults, after: .milliseconds(milliseconds)) { medium.isFull = false }
        case .failListener(let index, let count): changeListener(index) { $0.failures += count }
        case .slowListener(let index, let milliseconds):
            changeListener(index) { $0.delay = .milliseconds(milliseconds) }
        case .setListener(let index, let isThere): changeListener(index) { $0.isThere = isThere }
        case .kill(let number):
            bridges[number].kill()
            bridges[number].begin()
        case .killAtCommit(let number, let commit, let isBefore): bridges[number].medium.kill = (commit, isBefore)
        case .restart(let number): bridges[number].restart()
        case .editRoutes(let edition): near.routes = BridgeRoutes.near(edition, isRing: setup.isRing)
        }
    }

    /// Those of the near bridge come first.
    private func changeListener(_ index: Int, _ change: (inout SimulatedBridge.Listener) -> Void) {
        let count = near.listeners.count
        if index < count { change(&near.listeners[index]) } else if let far { change(&far.listeners[index - count]) }
    }

    /// The receivers of what the second broker has taken.
    private static let afterSecond =
        [
            "copy at second", "out at second", "state at second", "in at first", "echo at first",
        ] + farListeners
    private static let farListeners = ["far copy", "far out", "far state"]
}
