internal import MessageStore

/// The end of a history: all faults end, and all messages must be delivered.
extension HistoryRun {
    func finish() {
        for bridge in bridges { bridge.heal() }
        for broker in brokers { (broker.isAway, broker.refusals) = (false, 0) }
        for bridge in bridges { bridge.begin() }
        // Processes that survived the faults must recover without a restart.
        run(seconds: 90) { brokers.allSatisfy(\.isQuiet) && !witness.isOwed(by: near.process) }
        if !brokers.allSatisfy(\.isQuiet) { witness.promise.breach("a broker has messages that nobody takes") }
        if let process = near.process { witness.checkReceipts(of: process) }
        for bridge in bridges { bridge.restart() }
        run(seconds: 10) { false }
        for bridge in bridges { bridge.checkSessions() }
        probe()
        run(seconds: 200) { isDone }
        let published = brokers.map(\.log.count)
        run(seconds: 20) { false }
        if published != brokers.map(\.log.count) { witness.promise.breach("messages go round without an end") }
        if !brokers.allSatisfy(\.isQuiet) { witness.promise.breach("a broker still has messages for us") }
        // In a ring, an event of an earlier process returns as a new message, and is published once more.
        if !setup.isRing { witness.checkRepeats() }
        witness.checkStates(at: brokers[1], heardBy: far == nil ? nil : "far state")
        for bridge in bridges {
            checkStore(of: bridge)
            bridge.kill()
        }
        witness.promise.settle()
    }

    /// Publishes and emits without faults: each inbound message must reach the near bridge's listeners.
    private func probe() {
        for key in 0..<3 {
            emit("out", key)
            let testMessage = publish(key)
            guard near.process?.routes.want("in/\(key)", from: "first") == true else { continue }
            for listener in near.listeners where !listener.isLocal {
                witness.promise.promise(testMessage, to: listener.name)
            }
        }
    }

    /// Whether no message waits at a broker or in a store.
    private var isDone: Bool { brokers.allSatisfy(\.isQuiet) && bridges.allSatisfy { $0.stored == 0 } }

    /// Runs for at least two seconds, then until a condition holds or `seconds` have passed.
    private func run(seconds: Int, until isEnough: () -> Bool) {
        for second in 1...seconds where second <= 2 || !isEnough() {
            if !loop.run(for: .seconds(1)) { return witness.promise.breach("it is not quiet in the end") }
        }
        witness.look()
    }

    /// Checks that the store is empty, and that each dead letter has a reason.
    private func checkStore(of bridge: SimulatedBridge) {
        if bridge.stored > 0 { witness.promise.breach("\(bridge.stored) messages are left in a store") }
        do {
            for letter in try bridge.medium.store.deadLetters(DeadLetterFilter(), limit: 10_000) {
                witness.found(letter, in: bridge)
            }
        } catch {
            witness.promise.breach("the store cannot be read in the end: \(error)")
        }
    }
}
