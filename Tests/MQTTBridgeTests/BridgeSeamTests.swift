import AsyncEventBus
import EventBridgeTesting
import MessageStore
import Mosquitto
import TestSupport
import Testing

@testable import MQTTBridge

extension BridgeTests {
    @Suite("on a client that is no libmosquitto")
    struct Seam {
        @Test(
            "the whole bridge runs on it: subscriptions, messages in, events out, receipts, the end",
            arguments: [false, true]
        )
        func wholeBridge(isDurable: Bool) async throws {
            let clients = Locked<[TestClient]>([])
            let bus = EventBus(logger: .silent)
            let store = isDurable ? MemoryStore() : nil
            let bridge = try Bridge(
                bus: bus,
                brokers: [try .quick("mqtt://127.0.0.1:1", .v5)],
                routes: [Route("a/{x}", "a.{x}", durability: isDurable ? .disk : .memory)],
                options: BridgeOptions(),
                store: store,
                logger: .silent,
                makeClient: { broker, subscriptions, delegate, _ in
                    let client = try TestClient(broker, subscriptions, delegate)
                    clients.withLock { $0.append(client) }
                    return client
                }
            )
            let heard = Locked<[String]>([])
            try bus.on("a.*", durable: "listener") { event in heard.withLock { $0.append(event.payload.text ?? "") } }
            let client = try #require(clients.withLock { $0.first })
            #expect(client.subscriptions.map(\.filter) == ["a/+"])
            let running = Task { try await bridge.run() }
            try await withTimeLimit(.seconds(20)) { try await bridge.becomeReady() }
            #expect(client.receive(Message(topic: "a/1", payload: Array("in".utf8), qos: .atLeastOnce)) == true)
            try await until { heard.withLock { $0 } == ["in"] }
            if let store {
                try await until { try store.inbound(after: 0, limit: 1, bytes: 1).isEmpty }
            }
            let receipt = bus.tracked.emit("a.2", "out")
            try await withTimeLimit(.seconds(20)) { try await receipt.published() }
            #expect(client.published.map(\.topic) == ["a/2"])
            running.cancel()
            try await withTimeLimit(.seconds(20)) { try await running.value }
            #expect(client.hasRun)
        }

        @Test(
            "a bridge that is let go of takes its clients with it, whether it has run or not",
            arguments: [false, true]
        )
        func lifetime(hasRun: Bool) async throws {
            weak var client: TestClient?
            weak var bridge: Bridge?
            do {
                let made = Locked<TestClient?>(nil)
                let own = try Bridge(
                    bus: EventBus(logger: .silent),
                    brokers: [try .quick("mqtt://127.0.0.1:1", .v5)],
                    routes: [Route("a/{x}", "a.{x}", durability: .disk)],
                    options: BridgeOptions(),
                    store: MemoryStore(),
                    logger: .silent,
                    makeClient: { broker, subscriptions, delegate, _ in
                        let client = try TestClient(broker, subscriptions, delegate)
                        made.withLock { $0 = client }
                        return client
                    }
                )
                (client, bridge) = (made.withLock { $0 }, own)
                if hasRun {
                    let running = Task { try await own.run() }
                    try await withTimeLimit(.seconds(20)) { try await own.becomeReady() }
                    #expect(client?.receive(Message(topic: "a/1", qos: .atLeastOnce)) == true)
                    running.cancel()
                    try await withTimeLimit(.seconds(20)) { try await running.value }
                }
            }
            // The last task of a run may still be about to let go.
            try await until { bridge == nil && client == nil }
        }
    }
}
