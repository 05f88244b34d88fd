internal import FaultKit

/// What happens in a simulation, step by step, and the seed of everything that a step leaves open.
package struct History: Sendable, Hashable, CustomStringConvertible {
    /// What somebody does, or what goes wrong.
    package enum Action: Sendable, Hashable {
        /// Somebody publishes so many messages with one key at the first broker.
        case publish(key: Int, count: Int)
        /// The first bridge's process emits so many events with one key, which go to the second broker.
        case emit(key: Int, count: Int)
        /// The first bridge's process emits so many states with one key, of which the second broker keeps the last.
        case emitState(key: Int, count: Int)
        /// The connections of a broker are cut.
        case cut(broker: Int)
        /// A broker is away for so many milliseconds.
        case away(broker: Int, milliseconds: Int)
        /// A broker loses all sessions.
        case loseSessions(broker: Int)
        /// The second broker refuses so many publishes.
        case refuse(count: Int)
        /// So many commits of a bridge fail.
        case failCommits(bridge: Int, count: Int)
        /// Nothing fits into a store for so many milliseconds.
        case fillStore(bridge: Int, milliseconds: Int)
        /// A listener fails so many times from now on.
        case failListener(index: Int, count: Int)
        /// A listener takes so many milliseconds for each message from now on.
        case slowListener(index: Int, milliseconds: Int)
        /// The process of a bridge is killed, now, and another one begins.
        case kill(bridge: Int)
        /// The process is killed at a commit, before it or when it is done, and another one begins.
        case killAtCommit(bridge: Int, number: Int, isBefore: Bool)
        /// The process ends in order, and another one begins.
        case restart(bridge: Int)
        /// The next process has this listener, or has it not.
        case setListener(index: Int, isThere: Bool)
        /// The next process of the first bridge has other routes.
        case editRoutes(edition: Int)
    }

    /// An action, and for how many milliseconds everything goes on afterwards.
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

    /// What is not a step.
    package var setup: Setup { Setup(seed: seed) }

    package init(seed: UInt64, steps: [Step]) {
        self.seed = seed
        self.steps = steps
    }

    /// The history of a seed.
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

    // MARK: The shortest form

    /// The shortest history that still fails: steps are taken out as long as it does.
    ///
    /// - Parameter fails: Runs a history.
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
