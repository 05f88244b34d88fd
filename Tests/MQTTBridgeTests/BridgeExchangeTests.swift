import AsyncEventBus
import MessageStore
import Mosquitto
import TestSupport
import Testing

@testable import MQTTBridge

extension BridgeTests {
    @Suite("exchanged routes and brokers")
    struct Exchange {
        @Test("messages and events go by the new routes, on topics that were known as well")
        func routes() async throws {
            let broker = try MosquittoBroker.start()
            let station = try Station([try .quick(broker.url, .v5)], routes: [Route("a/{x}", "old.{x}")])
            try await withPlainClient(broker.url) { plain in
                try await withRunning(station) {
                    try await plain.publish("a/1", "before")
                    try await station.hears(1)
                    try station.bridge.use([Route("a/{x}", "new.{x}")])
                    try await plain.publish("a/1", "after")
                    try await station.hears(2)
                    station.bus.emit("old.2", "unheard")
                    station.bus.emit("new.2", "heard")
                    try await plain.hears(3)
                    try await settled { plain.count }
                }
                #expect(station.events.prefix(2).map(\.name) == ["old.1", "new.1"])
                #expect(plain.texts == ["before", "after", "heard"])
            }
        }

        @Test("each event that is emitted meanwhile is published by one of the routers, and once")
        func meanwhile() async throws {
            let broker = try MosquittoBroker.start()
            let station = try Station([try .quick(broker.url, .v5)], routes: [Route("n/{x}", "n.{x}")])
            let count = 2_000
            try await withPlainClient(broker.url) { plain in
                try await withRunning(station) {
                    let bus = station.bus
                    try await withThrowingTaskGroup(of: Void.self) { group in
                        group.addTask {
                            for number in 0..<count {
                                try await bus.emitWhenRoom("n.x", Payload("\(number)"))
                                if number % 10 == 0 { await Task.yield() }
                            }
                        }
                        group.addTask {
                            for number in 0..<100 {
                                // Patterns that stay, and patterns that come and go.
                                let other = Route("m/{x}", try EventTemplate("m\(number % 3).{x}"))
                                try station.bridge.use([Route("n/{x}", "n.{x}"), other])
                                await Task.yield()
                            }
                        }
                        try await group.waitForAll()
                    }
                    try await plain.hears(count)
                    try await settled { plain.count }
                }
                #expect(plain.texts == (0..<count).map(String.init))
            }
        }

        @Test("routes with a mistake change nothing")
        func mistake() throws {
            let station = try Station([try .quick("mqtt://127.0.0.1:1", .v5)], routes: [Route("a/{x}", "a.{x}")])
            #expect(throws: RouteProblems.self) { try station.bridge.use([Route("a/{x}", "b.{y}")]) }
            #expect(throws: RouteProblems.self) { try station.bridge.use([Route("a", "a", broker: "unknown")]) }
            let receipt = station.bus.tracked.emit("a.1")
            #expect(receipt.summary.relayed == 1)
        }

        @Test("a broker that comes is connected to and subscribed, one that goes gets what waits and is left")
        func brokers() async throws {
            let (first, second) = (try MosquittoBroker.start(), try MosquittoBroker.start())
            let station = try Station([try .quick(first.url, .v5)], routes: [Route("a/{x}", "a.{x}")])
            let added = try Broker.quick(second.url, .v5, name: "second")
            let both = [Route("a/{x}", "a.{x}"), Route("b/{x}", "b.{x}", broker: "second")]
            try await withPlainClient(second.url) { plain in
                try await withRunning(station) {
                    try station.bridge.use(both, adding: [added])
                    #expect(!station.bridge.isReady)
                    let bridge = station.bridge
                    try await withTimeLimit(.seconds(20)) { try await bridge.becomeReady() }
                    try await plain.publish("b/1", "in")
                    try await station.hears(1)
                    for number in 0..<200 { station.bus.emit("b.out", "\(number)") }
                    try station.bridge.use([Route("a/{x}", "a.{x}")], removing: ["second"])
                    #expect(station.bus.tracked.emit("b.late").summary.relayed == 0)
                    try await plain.hears(201)
                    try await until { station.reports("disconnected").count == 1 }
                    #expect(bridge.isReady)
                    try await settled { plain.count }
                }
                #expect(plain.texts == ["in"] + (0..<200).map(String.init))
                #expect(station.reports("stopped").first?["lost"] == "0")
            }
        }

        @Test("what is stored for a broker that goes stays in the store, and its receipts say so")
        func stored() async throws {
            let first = try MosquittoBroker.start()
            let store = MemoryStore()
            let away = try Broker.quick("mqtt://127.0.0.1:1", .v5, name: "away")
            let durable = Route("b/{x}", "b.{x}", broker: "away", durability: .disk)
            let routes = [Route("a/{x}", "a.{x}"), durable]
            let station = try Station([try .quick(first.url, .v5), away], routes: routes, store: store)
            let running = Task { try await station.bridge.run() }
            let receipt = station.bus.tracked.emit("b.1", "kept")
            try await receipt.stored()
            try station.bridge.use([Route("a/{x}", "a.{x}")], removing: ["away"])
            let error = await #expect(throws: EventBusError.self) { try await receipt.published() }
            #expect(error?.code == .postponed)
            running.cancel()
            try await running.value
            #expect(try store.outbound(to: "away", after: 0, limit: 10, bytes: 1_000).count == 1)
        }
    }
}
