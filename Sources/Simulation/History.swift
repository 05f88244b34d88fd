internal import FaultKit

/// The steps of a simulation, and the seed that decides everything else.
package struct History: Sendable, Hashable, CustomStringConvertible {
    /// An operation or a fault.
    package enum Action: Sendable, Hashable {
        /// Publishes `count` messages with one key at the first broker.
        case publish(key: Int, count: Int)
        /// Emits `count` events with one key in the first bridge's process, for the second broker.
        case emit(key: Int, count: Int)
        /// Emits `count` states with one key in the first bridge's process. The second broker retains the last.
        case emitState(key: Int, count: Int)
        /// Cuts all connections of a broker.
        case cut(broker: Int)
        /// Makes a broker unreachable for a time.
        case away(broker: Int, milliseconds: Int)
        /// Restarts a broker without its sessions.
        case loseSessions(broker: Int)
        /// Makes the second broker refuse the next `count` publishes.
        case refuse(count: Int)
        /// Makes the next `count` commits of a bridge fail.
        case failCommits(bridge: Int, count: Int)
        /// Makes a store full for a time.
        case fillStore(bridge: Int, milliseconds: Int)
        /// Makes the next `count` calls of a listener fail.
        case failListener(index: Int, count: Int)
        /// Delays each further call of a listener.
        case slowListener(index: Int, milliseconds: Int)
        /// Kills the process of a bridge, and starts another one.
        case kill(bridge: Int)
        /// Kills the process before or after the `number`th commit from now, and starts another one after the step.
        case killAtCommit(bridge: Int, number: Int, isBefore: Bool)
        /// Shuts the process down in order, and starts another one.
        case restart(bridge: Int)
        /// Adds a listener to the next process, or removes it.
        case setListener(index: Int, isThere: Bool)
        /// Changes the routes of the first bridge's next process.
        case editRoutes(edition: Int)
    }

    /// An action, and the time for which the simulation runs after it.
    package struct Step: Sendable, Hashable, CustomStringConvertible {
        package var action: Action
        package var milliseconds: Int

        package init(action: Action, milliseconds: Int) {
            (self.action, self.milliseconds) = (action, milliseconds)
        }

        package var description: String { "\(action), then \(milliseconds) ms" }
    }

    package var seed: UInt64
    package var steps: [Step]

    /// The configuration that the seed determines.
    package var setup: Setup { Setup(seed: seed) }

    package init(seed: UInt64, steps: [Step]) {
        self.seed = seed
        self.steps = steps
    }

    /// Creates the history of a seed.
    package init(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        self.seed = seed
        let setup = Setup(seed: seed)
        steps = (0..<5 + random.below(26)).map { _ in
            Step(action: Self.action(&random, setup), milliseconds: random.chance(1, in: 3) ? 0 : random.below(400))
        }
    }

    private static func action(_ random: inout SplitMix64, _ setup: Setup) -> Action {
        let bridge = setup.hasFarBridge && random.chance(1, in: 3) ? 1 : 0
        return switch random.below(27) {
        case 0..<6: .publish(key: random.below(3), count: 1 + random.below(12))
        case 6..<11: .emit(key: random.below(3), count: 1 + random.below(12))
        case 11: .cut(broker: random.below(2))
        case 12: .away(broker: random.below(2), milliseconds: random.below(3_000))
        case 13: .loseSessions(broker: random.below(2))
        case 14: .refuse(count: 1 + random.below(4))
        case 15: .failCommits(bridge: bridge, count: 1 + random.below(3))
        case 16: .fillStore(bridge: bridge, milliseconds: random.below(3_000))
        case 17: .failListener(index: random.below(setup.listeners), count: 1 + random.below(4))
        case 18: .slowListener(index: random.below(setup.listeners), milliseconds: random.below(50))
        case 19: .kill(bridge: bridge)
        case 20, 21: .killAtCommit(bridge: bridge, number: 1 + random.below(6), isBefore: random.chance(1, in: 2))
        case 22: .restart(bridge: bridge)
        case 23, 24: .emitState(key: random.below(3), count: 1 + random.below(4))
        case 25: .editRoutes(edition: random.below(BridgeRoutes.editions))
        default: .setListener(index: random.below(setup.listeners), isThere: random.chance(2, in: 3))
        }
    }

    package var description: String {
        "seed \(seed): \(setup)\n"
            + steps.enumerated().map { "  \($0.offset + 1). \($0.element)" }.joined(separator: "\n")
    }

    // MARK: Shortening

    /// Returns a shortest history that still fails, by removing steps until each one left is needed.
    ///
    /// - Parameter fails: Runs a history, and returns whether it fails.
    package func shortened(_ fails: (History) -> Bool) -> History {
        var best = self
        var size = max(1, steps.count / 2)
        while true {
            var hasShortened = false
            var start = 0
            while start < best.steps.count {
                var candidate = best
                candidate.steps.removeSubrange(start..<min(start + size, candidate.steps.count))
                if fails(candidate) {
                    best = candidate
                    hasShortened = true
                } else {
                    start += size
                }
            }
            if size == 1, !hasShortened { return best }
            size = max(1, size / 2)
        }
    }
}
