import TestSupport
import Testing

@testable import Mosquitto

@Suite("Cancelled calls of a client", .timeLimit(.deadlock))
struct CancellationTests {
    private let executor = StepExecutor()

    private func client(queueCapacity: Int = 10) throws -> Client {
        try Client(
            brokers: [try BrokerURL("mqtt://127.0.0.1:1")],
            options: .quick().with { $0.limits.queueCapacity = queueCapacity },
            delegate: Recorder(),
            logger: .silent
        )
    }

    @Test("a cancelled publish takes its message out of the queue, and leaves the others")
    func queued() async throws {
        let client = try client()
        try client.enqueue(Message(topic: "before"))
        let publishing = Task(executorPreference: executor) { try await client.publish(Message(topic: "cancelled")) }
        executor.step()
        try client.enqueue(Message(topic: "behind"))
        #expect(client.storage.waiting == 3)
        publishing.cancel()
        executor.step()
        await #expect(throws: CancellationError.self) { try await publishing.value }
        #expect(client.storage.takePublications(limit: 9, exactlyOnce: 9).map(\.message.topic) == ["before", "behind"])
    }

    @Test("a publish that is cancelled in flight returns at once, and its message is completed")
    func inFlight() async throws {
        let client = try client()
        let publishing = Task(executorPreference: executor) { try await client.publish(Message(topic: "a")) }
        executor.step()
        let publications = client.storage.takePublications(limit: 1, exactlyOnce: 1)
        publishing.cancel()
        executor.step()
        await #expect(throws: CancellationError.self) { try await publishing.value }
        client.storage.complete(publications.map { ($0, .success) })
        #expect(client.storage.isDrained)
    }

    @Test("a publish waits for room, and publishes when there is some")
    func room() async throws {
        let client = try client(queueCapacity: 2)
        for _ in 0..<2 { try client.enqueue(Message(topic: "full")) }
        let publishing = Task(executorPreference: executor) { try await client.publish(Message(topic: "late")) }
        executor.step()
        #expect(client.storage.waiting == 2)
        client.storage.complete(client.storage.takePublications(limit: 2, exactlyOnce: 0).map { ($0, .success) })
        executor.step()
        let late = client.storage.takePublications(limit: 2, exactlyOnce: 0)
        #expect(late.map(\.message.topic) == ["late"])
        client.storage.complete(late.map { ($0, .noMatchingSubscribers) })
        executor.step()
        #expect(try await publishing.value == .noMatchingSubscribers)
    }

    @Test("a publish that is cancelled while it waits for room publishes nothing")
    func cancelledForRoom() async throws {
        let client = try client(queueCapacity: 1)
        try client.enqueue(Message(topic: "full"))
        let publishing = Task(executorPreference: executor) { try await client.publish(Message(topic: "late")) }
        executor.step()
        publishing.cancel()
        executor.step()
        await #expect(throws: CancellationError.self) { try await publishing.value }
        #expect(client.storage.waiting == 1)
    }

    @Test("a call of a cancelled task throws, and asks the broker for nothing that it waits for")
    func before() async throws {
        let client = try client()
        let calls = Task(executorPreference: executor) {
            await #expect(throws: CancellationError.self) { try await client.publish(Message(topic: "a")) }
            await #expect(throws: CancellationError.self) { try await client.subscribe([SubscriptionRequest("a")]) }
            await #expect(throws: CancellationError.self) { try await client.unsubscribe(["a"]) }
        }
        calls.cancel()
        executor.step()
        await calls.value
        #expect(client.storage.waiting == 0)
    }

    @Test("a cancelled subscribe and unsubscribe return without the broker's answer")
    func subscriptions() async throws {
        let broker = try FakeBroker { peer in
            try peer.accept()
            try peer.serve { _ in [] }
        }
        try await withClient(to: broker.url) { client, recorder in
            let isConnected = try await eventually { recorder.connections.count == 1 }
            let subscribing = Task { try await client.subscribe([SubscriptionRequest("a")]) }
            let unsubscribing = Task { try await client.unsubscribe(["b"]) }
            let areAsked = try await eventually { broker.count(.subscribe) == 1 && broker.count(.unsubscribe) == 1 }
            #expect(isConnected && areAsked)
            subscribing.cancel()
            unsubscribing.cancel()
            await #expect(throws: CancellationError.self) { try await subscribing.value }
            await #expect(throws: CancellationError.self) { try await unsubscribing.value }
        }
    }
}
