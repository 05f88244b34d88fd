internal import AsyncEventBus
internal import Locking
internal import MQTTBridge
internal import MessageStore
internal import Mosquitto

/// Carries a history out with the real bridge between two simulated brokers, and checks the promise.
///
/// The first broker brings in `in/{key}`, durable, for two named listeners; to the second one go `out/{key}` of emits,
/// durable, and `copy/{key}` of what came in, durable as well.
package final class HistoryRun {
    /// What came of a history.
    package struct Result: Sendable, Hashable {
        /// What of the promise did not hold; empty if all of it did.
        package let breaches: [String]
        /// How many pieces of work there were, and the sum of what was seen: the same for the same history.
        package let steps: Int
        package let fingerprint: Int
    }

    private static let outNames: [EventName] = ["out.0", "out.1", "out.2"]
    private static let receivers = ["listener 0", "listener 1"]

    private let loop: EventLoop
    private let medium = SimulatedMedium()
    private let brokers = [SimulatedBroker("first"), SimulatedBroker("second")]
    private var process: SimulatedProcess?
    private var promise = Promise()
    private var numbers: [String: Int] = [:]
    private var failing = [0, 0]
    private var delays = [0, 0]
    private var isThere = [true, true]
    /// Of what the second broker has got, how much was looked at.
    private var looked = 0
    private var fingerprint = Hasher()
    private let faults: Int

    private init(_ loop: EventLoop) {
        self.loop = loop
        faults = loop.makeSource()
        // SAFETY: one thread runs the simulation and everything in it.
        nonisolated(unsafe) unowned let run = self
        medium.whenCommitted = { run.committed($0) }
        brokers[0].whenAcknowledged = { run.acknowledged($0) }
    }

    /// Carries a history out. To be called on a thread that does nothing else, in a process without other tasks.
    package static func run(_ history: History) -> Result {
        EventLoop.with(seed: history.seed) { loop in
            let run = HistoryRun(loop)
            run.begin()
            for step in history.steps {
                run.carryOut(step.action)
                run.go(milliseconds: step.milliseconds)
            }
            run.finish()
            return Result(breaches: run.promise.breaches, steps: loop.steps, fingerprint: run.fingerprint.finalize())
        }
    }

    // MARK: Processes

    private func begin() {
        do {
            let url = try BrokerURL("mqtt://127.0.0.1:1")
            let made = ["first", "second"].map { name in
                var options = ClientOptions(clientID: "bridge at \(name)")
                options.session.expiry = .seconds(3_600)
                return Broker([url], name: name, options: options)
            }
            let process = try SimulatedProcess(loop, medium, Array(zip(made, brokers)), Self.routes)
            self.process = process
            for index in 0..<2 where isThere[index] { addListener(index, to: process) }
            process.start()
        } catch {
            promise.breach("a process does not begin: \(error)")
        }
    }

    private static let routes = [
        Route("in/{key}", "in.{key}", direction: .in, broker: "first", durability: .disk),
        Route("copy/{key}", "in.{key}", direction: .out, broker: "second", durability: .disk),
        Route("out/{key}", "out.{key}", direction: .out, broker: "second", durability: .disk),
    ]

    private func addListener(_ index: Int, to process: SimulatedProcess) {
        // SAFETY: one thread runs the simulation and everything in it.
        nonisolated(unsafe) let run = self
        process.bus.on(
            "in.*",
            name: Self.receivers[index],
            delivery: .serial,
            capacity: 16,
            retry: RetryPolicy(attempts: 3, shortest: .milliseconds(50), longest: .milliseconds(50))
        ) { event in
            guard process.isAlive else { return }
            try await run.hear(event, index, process)
        }
    }

    private func hear(_ event: Event, _ index: Int, _ process: SimulatedProcess) async throws {
        if delays[index] > 0 { try await SimulatedClock(loop: loop).sleep(for: .milliseconds(delays[index])) }
        guard process.isAlive else { return }
        if failing[index] > 0 {
            failing[index] -= 1
            if let testMessage = Promise.TestMessage(event.payload.text ?? "") {
                promise.refuse(testMessage, at: Self.receivers[index])
            }
            throw CancellationError()
        }
        see(event.payload.text ?? "", "\(event.id)", Self.receivers[index])
    }

    private func see(_ text: String, _ identity: String, _ receiver: String) {
        guard let testMessage = Promise.TestMessage(text) else { return promise.breach("\(receiver) got \"\(text)\"") }
        promise.see(testMessage, identity: identity, at: receiver)
        fingerprint.combine(receiver)
        fingerprint.combine(text)
    }

    // MARK: Steps

    private func go(milliseconds: Int) {
        guard loop.run(for: .milliseconds(milliseconds)) else { return promise.breach("it goes round without an end") }
        look()
        // One that was killed at a commit has a successor.
        if process?.isAlive != true { begin() }
    }

    private func carryOut(_ action: History.Action) {
        switch action {
        case .publish(let key, let count): for _ in 0..<count { publish(key) }
        case .emit(let key, let count): for _ in 0..<count { emit(key) }
        case .cut(let broker): brokers[broker].cut()
        case .away(let broker, let milliseconds):
            brokers[broker].isAway = true
            brokers[broker].cut()
            loop.add(faults, after: .milliseconds(milliseconds)) { [brokers] in brokers[broker].isAway = false }
        case .loseSessions(let broker): brokers[broker].loseSessions()
        case .refuse(let count):
            brokers[1].refusals += count
            // What was in flight behind a message that is refused passes it.
            promise.losesOrder(at: ["out at second", "copy at second"])
        case .failCommits(let count): medium.failures += count
        case .fillStore(let milliseconds):
            medium.isFull = true
            loop.add(faults, after: .milliseconds(milliseconds)) { [medium] in medium.isFull = false }
        case .failListener(let index, let count): failing[index] += count
        case .slowListener(let index, let milliseconds): delays[index] = milliseconds
        case .kill: replace { $0.kill() }
        case .killAtCommit(let number, let isBefore): medium.kill = (number, isBefore)
        case .restart: restart()
        case .setListener(let index, let isThere): self.isThere[index] = isThere
        }
    }

    private func replace(_ end: (SimulatedProcess) -> Void) {
        if let process { end(process) }
        medium.kill = nil
        begin()
    }

    private func restart() {
        guard let process else { return }
        medium.kill = nil
        process.stop()
        _ = loop.run(for: .seconds(30))
        if !process.hasEnded { promise.breach("the process does not end") }
        look()
        replace { $0.kill() }
    }

    private func next(_ kind: String, _ key: Int) -> Promise.TestMessage {
        numbers["\(kind)\(key)", default: 0] += 1
        return Promise.TestMessage(key: key, number: numbers["\(kind)\(key)"]!)
    }

    /// Somebody publishes, with an identity as another bridge gives one.
    private func publish(_ key: Int) {
        let testMessage = next("in", key)
        let message = Message(
            topic: "in/\(key)",
            payload: Array("\(testMessage)".utf8),
            qos: .atLeastOnce,
            properties: MessageProperties(userProperties: [.init("bridgeid", "elsewhere/\(testMessage)")])
        )
        brokers[0].publish(message)
    }

    /// What is in the store is not lost any more.
    private func committed(_ batch: StoreBatch) {
        for record in batch.arrivals {
            guard let testMessage = Promise.TestMessage(String(decoding: record.payload, as: UTF8.self)) else {
                continue
            }
            stored.insert(testMessage)
            for name in record.listeners { promise.promise(testMessage, to: name) }
        }
        for record in batch.departures {
            guard let testMessage = Promise.TestMessage(String(decoding: record.payload, as: UTF8.self)) else {
                continue
            }
            let isCopy = record.topic.hasPrefix("copy/")
            if isCopy { stored.insert(testMessage) }
            promise.promise(testMessage, to: isCopy ? "copy at second" : "out at second")
        }
    }

    /// What came in and is in the store, or was.
    private var stored: Set<Promise.TestMessage> = []

    /// What the broker need not keep any more must be in the store.
    private func acknowledged(_ messages: [Message]) {
        for message in messages {
            let text = String(decoding: message.payload, as: UTF8.self)
            guard let testMessage = Promise.TestMessage(text), !stored.contains(testMessage) else { continue }
            promise.breach("\(text) is acknowledged, and not in the store")
        }
    }

    private func emit(_ key: Int) {
        guard let process, process.isAlive else { return }
        let testMessage = next("out", key)
        let receipt = process.bus.tracked.emit(Self.outNames[key], Payload("\(testMessage)"))
        // SAFETY: one thread runs the simulation and everything in it.
        nonisolated(unsafe) let run = self
        // Owned by the simulation, which runs it; ends with the receipt, or is left with a process that is killed.
        Task {
            guard (try? await receipt.stored()) != nil, process.isAlive else { return }
            if !run.promise.isPromised(testMessage, to: "out at second") {
                run.promise.breach("\(testMessage) is called stored, and is not in the store")
            }
        }
        receipt.whenPublished { result in
            guard process.isAlive, case .success = result else { return }
            run.look()
            if !run.promise.hasSeen(testMessage, at: "out at second") {
                run.promise.breach("\(testMessage) is called published, and the broker has not got it")
            }
        }
    }

    /// Looks at what the second broker has got since the last look.
    private func look() {
        for taken in brokers[1].log[looked...] {
            let kind = taken.topic.hasPrefix("out/") ? "out at second" : "copy at second"
            see(String(decoding: taken.payload, as: UTF8.self), taken.identity ?? "none", kind)
        }
        looked = brokers[1].log.count
    }

    // MARK: The end

    /// Everything works again, all listeners are there, and so much time goes by that all must be done.
    private func finish() {
        medium.failures = 0
        medium.isFull = false
        medium.kill = nil
        for broker in brokers { (broker.isAway, broker.refusals) = (false, 0) }
        (failing, delays, isThere) = ([0, 0], [0, 0], [true, true])
        if process?.isAlive != true { begin() }
        restart()
        if !loop.run(for: .seconds(300)) { promise.breach("it is not quiet in the end") }
        look()
        var givenUp: [DeadLetter.Direction: Set<String>] = [:]
        do {
            for letter in try medium.store.deadLetters(DeadLetterFilter(), limit: 10_000) {
                guard let payload = letter.payload else { continue }
                givenUp[letter.direction, default: []].insert(String(decoding: payload, as: UTF8.self))
            }
            let status = try medium.store.status()
            let left = status.loads.reduce(0) { $0 + $1.messages }
            if left > 0 { promise.breach("\(left) messages are left in the store") }
        } catch {
            promise.breach("the store cannot be read in the end: \(error)")
        }
        if !brokers.allSatisfy(\.isQuiet) { promise.breach("a broker still has messages for us") }
        promise.settle { testMessage, receiver in
            givenUp[receiver.hasSuffix("second") ? .outbound : .inbound]?.contains(testMessage.description) ?? false
        }
        replace { $0.kill() }
        process?.kill()
    }
}
