internal import AsyncEventBus

/// Runs a history with one or two real bridges between two simulated brokers, and checks the delivery guarantees.
///
/// The near bridge receives `in/{key}`, or a part of it, from the first broker for two durable listeners. It publishes emitted
/// events on `out/{key}`, copies of inbound messages on `copy/{key}`, and retained states on `state/{key}` at the second
/// broker. The far bridge, if any, subscribes to these three, and in a ring publishes events and copies at the first broker.
/// All routes are durable.
package final class HistoryRun {
    /// The result of a history.
    package struct Result: Sendable, Hashable {
        /// The violated guarantees; empty if all of them held.
        package let breaches: [String]
        /// The number of work items that ran; the same for the same history.
        package let steps: Int
        /// A hash of all deliveries in their order; the same for the same history.
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
        // A later process delivers a returning event of an earlier process in order of arrival.
        witness.promise.losesOrder(at: ["near out"])
        witness.promise.overlooksIdentity(at: setup.unrecognised)
    }

    var bridges: [SimulatedBridge] { [near, far].compactMap { $0 } }

    /// Runs a history. Call this function on a thread that does nothing else, in a process without other tasks.
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

    /// Starts the bridges, and lets the far bridge subscribe before the near one publishes. Otherwise the far bridge could
    /// receive only the second copy of a duplicate, after newer messages.
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
        // Starts the successors of processes that were killed at a commit.
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
            // Messages in flight behind a refused message overtake it.
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

    /// Changes a listener by its index; the near bridge's listeners come first.
    private func changeListener(_ index: Int, _ change: (inout SimulatedBridge.Listener) -> Void) {
        let count = near.listeners.count
        if index < count { change(&near.listeners[index]) } else if let far { change(&far.listeners[index - count]) }
    }

    /// The second broker, and all receivers of messages that passed through it.
    private static let afterSecond =
        [
            "copy at second", "out at second", "state at second", "in at first", "echo at first",
        ] + farListeners
    private static let farListeners = ["far copy", "far out", "far state"]
}
