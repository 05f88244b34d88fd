import TestSupport
import Testing

@testable import Mosquitto

@Suite("MessageStream", .timeLimit(.deadlock))
struct MessageStreamTests {
    /// A client that does not run, for a stream that a test feeds.
    private static func client(_ stream: MessageStream) throws -> Client {
        try Client(brokers: [try BrokerURL("mqtt://127.0.0.1:1")], options: .quick(), delegate: stream, logger: .silent)
    }

    private static func messages(_ numbers: Range<Int>) -> [Message] {
        numbers.map { Message(topic: "t", payload: Array(String($0).utf8)) }
    }

    private static func isHeld(_ client: Client) -> Bool {
        client.storage.holdState(at: .now) != .free
    }

    @Test("messages come in order, and the sequence ends behind the last one")
    func order() async throws {
        let stream = MessageStream()
        let client = try Self.client(stream)
        #expect(stream.client(client, received: Self.messages(0..<3)) == .acknowledge)
        #expect(stream.client(client, received: Self.messages(3..<5)) == .acknowledge)
        stream.clientEnded(client)
        var numbers: [Int] = []
        for await message in stream { numbers.append(message.number) }
        #expect(numbers == [0, 1, 2, 3, 4])
    }

    @Test(
        "a full stream holds its client until half of it is consumed, in messages and in bytes",
        arguments: [(4, 1_000), (1_000, 8)]
    )
    func backPressure(capacity: Int, bytes: Int) async throws {
        let stream = MessageStream(capacity: capacity, capacityBytes: bytes)
        let client = try Self.client(stream)
        _ = stream.client(client, received: Self.messages(0..<3))
        #expect(!Self.isHeld(client))
        _ = stream.client(client, received: Self.messages(3..<4))
        #expect(Self.isHeld(client))
        let iterator = stream.makeAsyncIterator()
        #expect(await iterator.next()?.number == 0)
        #expect(Self.isHeld(client))
        #expect(await iterator.next()?.number == 1)
        #expect(!Self.isHeld(client))
    }

    @Test("waiting consumers get one message each, and the end reaches all")
    func consumers() async throws {
        let (stream, executor) = (MessageStream(), StepExecutor())
        let client = try Self.client(stream)
        let tasks = (0..<3).map { _ in Task(executorPreference: executor) { await stream.makeAsyncIterator().next() } }
        executor.step()
        _ = stream.client(client, received: Self.messages(0..<2))
        executor.step()
        stream.clientEnded(client)
        executor.step()
        var numbers: Set<Int?> = []
        for task in tasks { numbers.insert(await task.value?.number) }
        #expect(numbers == [0, 1, nil])
    }

    @Test("a cancelled consumer sees the end, and loses no message of the others")
    func cancelled() async throws {
        let (stream, executor) = (MessageStream(), StepExecutor())
        let client = try Self.client(stream)
        let task = Task(executorPreference: executor) { await stream.makeAsyncIterator().next() }
        executor.step()
        task.cancel()
        executor.step()
        #expect(await task.value == nil)
        _ = stream.client(client, received: Self.messages(7..<8))
        #expect(await stream.makeAsyncIterator().next()?.number == 7)
    }

    @Test(
        "the messages of a broker come in order, none is lost, and the sequence ends with the client",
        .needsMosquitto
    )
    func broker() async throws {
        let broker = try MosquittoBroker.start()
        defer { broker.kill() }
        let subscribed = Locked(false)
        let stream = MessageStream(capacity: 10) { if case .subscribed = $0 { subscribed.withLock { $0 = true } } }
        let client = try Client(
            brokers: [try BrokerURL(broker.url)],
            options: .quick(),
            subscriptions: [SubscriptionRequest("n")],
            delegate: stream,
            logger: .silent
        )
        let run = Task { try await client.run() }
        #expect(try await eventually { subscribed.withLock { $0 } })
        try await withClient(to: broker.url) { publisher, _ in
            for number in 0..<500 {
                try await publisher.publish(Message(topic: "n", payload: Array("\(number)".utf8), qos: .atLeastOnce))
            }
        }
        var numbers: [Int] = []
        for await message in stream {
            numbers.append(message.number)
            if numbers.count == 500 { run.cancel() }
        }
        #expect(numbers == Array(0..<500))
        try await run.value
    }

    @Test("the delegate hears which of two clients has a message")
    func whichClient() async throws {
        final class Delegate: ClientDelegate {
            let heard = Locked<[ObjectIdentifier]>([])
            func client(_ client: Client, received messages: consuming [Message]) -> ReceiveDecision { .acknowledge }
            func client(_ client: Client, noticed event: ClientEvent) {
                if case .connected = event { heard.withLock { $0.append(ObjectIdentifier(client)) } }
            }
        }
        let broker = try FakeBroker { try $0.serve() }
        let delegate = Delegate()
        let clients = try (0..<2).map { _ in
            try Client(brokers: [try BrokerURL(broker.url)], options: .quick(), delegate: delegate, logger: .silent)
        }
        let runs = clients.map { client in Task { try await client.run() } }
        #expect(try await eventually { delegate.heard.withLock { $0.count } == 2 })
        #expect(Set(delegate.heard.withLock { $0 }) == Set(clients.map { ObjectIdentifier($0) }))
        for run in runs {
            run.cancel()
            try await run.value
        }
    }
}
