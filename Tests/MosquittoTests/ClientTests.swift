import Dispatch
import TestSupport
import Testing

@testable import Mosquitto

@Suite("Client", .serialized)
struct ClientTests {
    private func client(_ url: String = "mqtt://127.0.0.1:1", options: ClientOptions = .quick()) throws -> Client {
        try Client(brokers: [try BrokerURL(url)], options: options, delegate: Recorder(), logger: .silent)
    }

    // MARK: Refused at once (F16)

    @Test(
        "a topic that no broker should see is refused at once, and nothing is sent",
        arguments: TopicRulesTests.illegalText
    )
    func illegalTopic(topic: String) throws {
        let client = try client()
        let called = Locked(false)
        let error = try #require(throws: ClientError.self) {
            try client.enqueue(Message(topic: topic)) { _ in called.withLock { $0 = true } }
        }
        #expect(error.code == .invalidTopic)
        #expect(!called.withLock { $0 })
    }

    @Test("a payload that MQTT has no room for is refused at once")
    func tooLarge() async throws {
        let client = try client()
        let message = Message(topic: "a", payload: [UInt8](repeating: 0, count: 268_435_455))
        let error = await #expect(throws: ClientError.self) { try await client.publish(message) }
        #expect(error?.code == .tooLarge)
    }

    @Test("a full queue refuses, and says which topic")
    func queueFull() throws {
        let client = try client(options: .quick().with { $0.limits.queueCapacity = 3 })
        for _ in 0..<3 { try client.enqueue(Message(topic: "a/b")) }
        let error = try #require(throws: ClientError.self) { try client.enqueue(Message(topic: "a/b")) }
        #expect(error.code == .queueFull)
        #expect(error.description.contains("a/b"))
    }

    @Test("a queue that is full in bytes refuses")
    func queueBytesFull() throws {
        let client = try client(options: .quick().with { $0.limits.queueBytes = 1_000 })
        try client.enqueue(Message(topic: "a", payload: [UInt8](repeating: 0, count: 900)))
        #expect(throws: ClientError.self) {
            try client.enqueue(Message(topic: "a", payload: [UInt8](repeating: 0, count: 200)))
        }
    }

    // MARK: Room

    @Test("who waits for room goes on when half of the queue is free", .timeLimit(.deadlock))
    func room() async throws {
        let broker = try FakeBroker { try $0.serve() }
        let client = try client(broker.url, options: .quick().with { $0.limits.queueCapacity = 10 })
        for _ in 0..<10 { try client.enqueue(Message(topic: "a", qos: .atLeastOnce)) }
        let waiting = Task { try await client.waitForRoom(for: Message(topic: "a")) }
        let run = Task { try await client.run() }
        try await waiting.value
        run.cancel()
        try await run.value
    }

    @Test("who waits for room goes on in order, and small messages do not pass a large one", .timeLimit(.deadlock))
    func roomInOrder() async throws {
        let client = try client(options: .quick().with { $0.limits.queueBytes = 1_000 })
        let storage = client.storage
        func message(_ size: Int) -> Message { Message(topic: "a", payload: [UInt8](repeating: 0, count: size)) }
        let publications = try [100, 400].map { try Publication(checked: message($0), completion: nil) }
        for publication in publications { try storage.add(publication) }
        _ = storage.takePublications(limit: 2, exactlyOnce: 0)
        let (executor, order) = (StepExecutor(), Locked<[Int]>([]))
        let waiters = [800, 10, 900].map { size in
            Task(executorPreference: executor) {
                try await client.waitForRoom(for: message(size))
                order.withLock { $0.append(size) }
                // As a sender does, but for the second, which goes on to something else.
                if size != 10 { try client.enqueue(message(size)) }
            }
        }
        executor.step()
        #expect(order.withLock { $0 }.isEmpty)
        storage.complete([(publications[0], .success)])
        executor.step()
        #expect(order.withLock { $0 }.isEmpty, "800 bytes do not fit beside 400")
        storage.complete([(publications[1], .success)])
        executor.step()
        #expect(order.withLock { $0 } == [800, 10])
        for publication in storage.takePublications(limit: 1, exactlyOnce: 0) {
            storage.complete([(publication, .success)])
        }
        executor.step()
        #expect(order.withLock { $0 } == [800, 10, 900])
        for waiter in waiters { try await waiter.value }
    }

    @Test("when a large message that waits is cancelled, the small ones behind it go on", .timeLimit(.deadlock))
    func roomBehindCancelled() async throws {
        let client = try client(options: .quick().with { $0.limits.queueBytes = 1_000 })
        func message(_ size: Int) -> Message { Message(topic: "a", payload: [UInt8](repeating: 0, count: size)) }
        try client.enqueue(message(300))
        let executor = StepExecutor()
        let large = Task(executorPreference: executor) { try await client.waitForRoom(for: message(900)) }
        executor.step()
        let small = Task(executorPreference: executor) { try await client.waitForRoom(for: message(10)) }
        executor.step()
        large.cancel()
        executor.runFreely()
        await #expect(throws: CancellationError.self) { try await large.value }
        try await small.value
    }

    @Test("who waits for room and is cancelled stops waiting", .timeLimit(.deadlock))
    func cancelledRoom() async throws {
        let client = try client(options: .quick().with { $0.limits.queueCapacity = 1 })
        try client.enqueue(Message(topic: "a"))
        let waiting = Task { try await client.waitForRoom(for: Message(topic: "a")) }
        waiting.cancel()
        await #expect(throws: CancellationError.self) { try await waiting.value }
    }

    @Test("who waits for room when the client ends goes on", .timeLimit(.deadlock))
    func endedRoom() async throws {
        let client = try client(options: .quick().with { $0.limits.queueCapacity = 1 })
        try client.enqueue(Message(topic: "a"))
        let waiting = Task { try await client.waitForRoom(for: Message(topic: "a")) }
        let run = Task { try await client.run() }
        run.cancel()
        try await run.value
        try await waiting.value
        try await client.waitForRoom(for: Message(topic: "a"))
    }

    // MARK: The end

    @Test("an orderly end publishes what waits, and then says DISCONNECT", arguments: ProtocolVersion.allCases)
    func drain(version: ProtocolVersion) async throws {
        let broker = try FakeBroker { try $0.serve() }
        let results = Locked<[Result<ReasonCode, ClientError>]>([])
        let recorder = Recorder()
        try await withClient(to: broker.url, options: .quick(version), recorder: recorder) { client, recorder in
            try await recorder.connected()
            for number in 0..<500 {
                let qos = QoS.allCases[number % 3]
                try client.enqueue(Message(topic: "a", payload: Array("\(number)".utf8), qos: qos)) { result in
                    results.withLock { $0.append(result) }
                }
            }
        }
        try await broker.finished()
        #expect(broker.published.compactMap { Int($0.text) } == Array(0..<500))
        #expect(results.withLock { $0.count } == 500)
        #expect(results.withLock { $0.allSatisfy { $0 == .success(.success) } })
        let last = try #require(broker.peers.first?.recorded.last)
        #expect(try last.disconnect().reason == 0)
        #expect(recorder.disconnections == [nil])
    }

    @Test(
        "what cannot be published in time is given up, and DISCONNECT is said all the same",
        arguments: ProtocolVersion.allCases
    )
    func drainLimit(version: ProtocolVersion) async throws {
        let broker = try FakeBroker { peer in try peer.serve { packet in packet.type == .publish ? [] : nil } }
        let results = Locked<[ClientError.Code?]>([])
        let options = ClientOptions.quick(version).with { options in
            options.timeouts.drain = .milliseconds(200)
            options.limits.inFlightWindow = 5
        }
        let begin = Locked(ContinuousClock.now)
        try await withClient(to: broker.url, options: options) { client, recorder in
            try await recorder.connected()
            for _ in 0..<20 {
                try client.enqueue(Message(topic: "a", qos: .atLeastOnce)) { result in
                    if case .failure(let error) = result { results.withLock { $0.append(error.code) } }
                }
            }
            begin.withLock { $0 = .now }
        }
        #expect(begin.withLock { $0 }.duration(to: .now) < .seconds(2).stretched)
        #expect(results.withLock { $0 } == [ClientError.Code?](repeating: .notRunning, count: 20))
        try await broker.finished()
        #expect(broker.count(.disconnect) == 1)
    }

    @Test("a peer that reads nothing cannot hold the end up", arguments: ProtocolVersion.allCases)
    func endWithoutReader(version: ProtocolVersion) async throws {
        let end = DispatchSemaphore(value: 0)
        let broker = try FakeBroker { peer in
            try peer.accept()
            end.wait()
        }
        defer { end.signal() }
        let options = ClientOptions.quick(version).with { $0.timeouts.drain = .milliseconds(200) }
        let begin = Locked(ContinuousClock.now)
        try await withClient(to: broker.url, options: options) { client, recorder in
            try await recorder.connected()
            for qos in [QoS.atMostOnce, .atLeastOnce, .atMostOnce] {
                try client.enqueue(Message(topic: "a", payload: [UInt8](repeating: 0, count: 10_000_000), qos: qos))
            }
            begin.withLock { $0 = .now }
        }
        let elapsed = begin.withLock { $0 }.duration(to: .now)
        print("an end against a peer that does not read took \(elapsed)")
        #expect(elapsed < .seconds(3).stretched)
    }

    @Test(
        "while it cannot connect the end is at once",
        arguments: ["mqtt://127.0.0.1:1", "mqtt://no-such-host.invalid"]
    )
    func endWithoutConnection(url: String) async throws {
        let results = Locked<[ClientError.Code?]>([])
        let begin = Locked(ContinuousClock.now)
        try await withClient(to: url) { client, recorder in
            _ = try await recorder.firstFailure()
            try client.enqueue(Message(topic: "a", qos: .atLeastOnce)) { result in
                if case .failure(let error) = result { results.withLock { $0.append(error.code) } }
            }
            begin.withLock { $0 = .now }
        }
        #expect(begin.withLock { $0 }.duration(to: .now) < .seconds(1).stretched)
        #expect(results.withLock { $0 } == [.notRunning])
    }

    @Test("during a handshake the end is at once")
    func endInHandshake() async throws {
        let broker = try FakeBroker { peer in while try peer.read(timeout: .seconds(20)) != nil {} }
        let client = try client(broker.url)
        let run = Task { try await client.run() }
        #expect(try await eventually { broker.count(.connect) == 1 })
        let begin = ContinuousClock.now
        run.cancel()
        try await withTimeLimit(.seconds(30), "run() returns") { try await run.value }
        #expect(begin.duration(to: .now) < .seconds(1).stretched)
    }

    @Test("a run that was cancelled before it began ends at once")
    func cancelledBefore() async throws {
        let client = try client()
        let run = Task {
            while !Task.isCancelled { await Task.yield() }
            try await client.run()
        }
        run.cancel()
        try await withTimeLimit(.seconds(30), "run() returns") { try await run.value }
    }

    @Test("after the end nothing is accepted any more")
    func afterEnd() async throws {
        let client = try client()
        let run = Task { try await client.run() }
        run.cancel()
        try await run.value
        let enqueued = #expect(throws: ClientError.self) { try client.enqueue(Message(topic: "a")) }
        #expect(enqueued?.code == .notRunning)
        let published = await #expect(throws: ClientError.self) { try await client.publish(Message(topic: "a")) }
        #expect(published?.code == .notRunning)
        let subscribed = await #expect(throws: ClientError.self) {
            try await client.subscribe([SubscriptionRequest("a")])
        }
        #expect(subscribed?.code == .notRunning)
        let unsubscribed = await #expect(throws: ClientError.self) { try await client.unsubscribe(["a"]) }
        #expect(unsubscribed?.code == .notRunning)
    }

    @Test("who waits for an answer when the client ends is told so")
    func waitingAtEnd() async throws {
        // Answers neither of them.
        let broker = try FakeBroker { peer in
            try peer.accept()
            try peer.serve { _ in [] }
        }
        let client = try Client(
            brokers: [try BrokerURL(broker.url)],
            options: .quick(),
            delegate: Recorder(),
            logger: .silent
        )
        let publishing = Task { try await client.publish(Message(topic: "a", qos: .atLeastOnce)) }
        let subscribing = Task { try await client.subscribe([SubscriptionRequest("a")]) }
        let run = Task { try await client.run() }
        #expect(try await eventually { broker.count(.publish) == 1 && broker.count(.subscribe) == 1 })
        run.cancel()
        try await run.value
        let published = await #expect(throws: ClientError.self) { try await publishing.value }
        #expect(published?.code == .notRunning)
        let subscribed = await #expect(throws: ClientError.self) { try await subscribing.value }
        #expect(subscribed?.code == .notRunning)
    }

    // MARK: Persistence

    @Test("told not to try again it ends with the first failure")
    func never() async throws {
        let nobody = try PortReservation()
        let options = ClientOptions.quick().with { $0.reconnect.persistence = .never }
        let error = try await failureOfClient(to: "mqtt://127.0.0.1:\(nobody.port)", options: options)
        #expect(error.code == .refused)
        let broker = try FakeBroker { peer in
            try peer.accept()
            peer.close()
        }
        let recorder = Recorder()
        let lost = try await failureOfClient(to: broker.url, options: options, recorder: recorder)
        #expect(lost.code == .connectionLost)
        #expect(recorder.disconnections.map { $0?.code } == [.connectionLost])
    }

    @Test("told to try again once connected it does, but not before")
    func onceConnected() async throws {
        let nobody = try PortReservation()
        let options = ClientOptions.quick().with { $0.reconnect.persistence = .onceConnected }
        let error = try await failureOfClient(to: "mqtt://127.0.0.1:\(nobody.port)", options: options)
        #expect(error.code == .refused)
        let broker = try FakeBroker { peer in
            try peer.accept()
            if peer.index == 0 { peer.close() } else { try peer.serve() }
        }
        try await withClient(to: broker.url, options: options) { _, recorder in try await recorder.connected(2) }
    }
}
