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
            // As for the initializer, no route is one for everything.
            try station.bridge.use([])
            #expect(station.bridge.routes.map(\.topic) == [Route.everything().topic])
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

        @Test(
            "the subscriptions follow the routes, and the record in the store follows the subscriptions",
            arguments: ProtocolVersion.allCases,
            [false, true]
        )
        func subscriptions(version: ProtocolVersion, hasStore: Bool) async throws {
            let broker = try MosquittoBroker.start()
            let store = hasStore ? MemoryStore() : nil
            let own = try Broker.quick(broker.url, version) { options in
                options.clientID = "bridge"
                options.session.expiry = .seconds(3_600)
            }
            let station = try Station([own], routes: [Route("a/{x}", "a.{x}", direction: .in)], store: store)
            try await withPlainClient(broker.url, [], version: version) { plain in
                try await withRunning(station) {
                    try station.bridge.use([Route("b/{x}", "b.{x}", direction: .in)])
                    try await becomesReady(station)
                    for topic in ["a/1", "b/1", "a/2", "b/2"] { try await plain.publish(topic, topic) }
                    try await station.hears(2)
                    try await settled { station.count }
                }
            }
            #expect(station.events.map { $0.payload.text } == ["b/1", "b/2"])
            #expect(station.reports("dropped").isEmpty)
            #expect(broker.log.contains("Received UNSUBSCRIBE"))
            let record = try store?.text(named: "sessions at default", initial: "")
            #expect(record == (hasStore ? #"{"bridge":["b/+"]}"# : nil))
        }

        @Test(
            "a subscription whose end the broker has not answered stays in the record",
            arguments: ProtocolVersion.allCases
        )
        func unanswered(version: ProtocolVersion) async throws {
            let broker = try FakeBroker { peer in
                try peer.serve { packet in
                    switch packet.type {
                    case .connect: [.connack(sessionPresent: true)]
                    case .unsubscribe: []
                    default: nil
                    }
                }
            }
            let store = MemoryStore()
            let own = try Broker.quick(broker.url, version) { options in
                options.clientID = "bridge"
                options.session.expiry = .seconds(3_600)
            }
            let station = try Station([own], routes: [Route("a/{x}", "a.{x}", direction: .in)], store: store)
            try await withRunning(station) {
                try station.bridge.use([Route("b/{x}", "b.{x}", direction: .in)])
                try await until { broker.peers.flatMap(\.recorded).contains { $0.type == .unsubscribe } }
                #expect(!station.bridge.isReady)
            }
            #expect(try store.text(named: "sessions at default", initial: "") == #"{"bridge":["a/+","b/+"]}"#)
        }

        @Test("a broker that is away gets the subscriptions of the last change when it is back")
        func away() async throws {
            let broker = try MosquittoBroker.start()
            let station = try Station([try .quick(broker.url, .v5)], routes: [Route("a/{x}", "a.{x}", direction: .in)])
            try await withRunning(station) {
                broker.stop()
                try await station.tells("disconnected")
                for name in ["b", "c", "d"] {
                    let topic = try TopicTemplate("\(name)/{x}")
                    try station.bridge.use([Route(topic, "new.{x}", direction: .in)])
                }
                #expect(!station.bridge.isReady)
                try broker.restart()
                try await becomesReady(station)
                try await withPlainClient(broker.url, []) { plain in
                    for topic in ["a/1", "b/1", "c/1", "d/1"] { try await plain.publish(topic, topic) }
                    try await station.hears(1)
                    try await settled { station.count }
                }
            }
            #expect(station.events.map { $0.payload.text } == ["d/1"])
        }

        @Test("no message is lost that each of the changing routes wants", arguments: ProtocolVersion.allCases)
        func underLoad(version: ProtocolVersion) async throws {
            let broker = try MosquittoBroker.start()
            let wide = Route("n/{rest...}", "n.{rest...}", direction: .in)
            let narrow = Route("n/{x}", "n.{x}", direction: .in)
            let station = try Station([try .quick(broker.url, version)], routes: [wide])
            let count = 2_000
            try await withPlainClient(broker.url, [], version: version) { plain in
                try await withRunning(station) {
                    try await withThrowingTaskGroup(of: Void.self) { group in
                        group.addTask { for number in 0..<count { try await plain.publish("n/x", "\(number)") } }
                        group.addTask {
                            for number in 0..<20 {
                                try station.bridge.use([number % 2 == 0 ? narrow : wide])
                                try await becomesReady(station)
                            }
                        }
                        try await group.waitForAll()
                    }
                    try await station.hears(count)
                    try await settled { station.count }
                }
            }
            var seen = Set<Int>()
            let firsts = station.texts("n.x").compactMap { Int($0) }.filter { seen.insert($0).inserted }
            #expect(firsts == Array(0..<count))
        }

        @Test("a change that is not possible says why, and changes nothing")
        func impossible() async throws {
            let away = try Broker.quick("mqtt://127.0.0.1:1", .v5)
            let bus = EventBus(logger: .silent)
            let route = Route("a/{x}", "a.{x}", direction: .in, durability: .memory)
            let station = try Station([away], routes: [route], bus: bus, store: MemoryStore())
            let second = try Broker.quick("mqtt://127.0.0.1:1", .v5, name: "second")
            let other = try Bridge(bus: bus, brokers: [second], routes: [Route("b/{x}", "b.{x}", broker: "second")])
            let durable = Route("a/{x}", "a.{x}", direction: .in, durability: .disk)
            let taken = #expect(throws: BridgeChangeError.self) { try station.bridge.use([route], adding: [away]) }
            #expect(taken?.code == .nameTaken)
            let lacking = #expect(throws: BridgeChangeError.self) { try station.bridge.use([durable]) }
            #expect(lacking?.code == .sessionNeeded)
            #expect(throws: BridgeConflict.self) {
                try station.bridge.use([route, Route("b/{x}", "b.{x}", durability: .memory)])
            }
            #expect(throws: RouteProblems.self) { try station.bridge.use([route], removing: ["default"]) }
            #expect(station.bridge.routes.map(\.topic.text) == ["a/{x}"])
            // The registration is the former one.
            try other.use([Route("c/{x}", "c.{x}", broker: "second")])
            try station.bridge.use([route, Route("b/{x}", "b.{x}", durability: .memory)])
            #expect(station.bridge.routes.count == 2)
        }

        @Test("a store that cannot be written leaves the routes as they are")
        func failingStore() throws {
            let store = FaultyStore(MemoryStore(), failing: 0)
            let own = try Broker.quick("mqtt://127.0.0.1:1", .v5) { options in
                options.clientID = "bridge"
                options.session.expiry = .seconds(3_600)
            }
            let station = try Station([own], routes: [Route("a/{x}", "a.{x}", direction: .in)], store: store)
            // Of the next calls the first reads the record, the second writes it.
            store.fail(2, with: StoreError(.full, operation: "write", detail: "made to fail"))
            #expect(throws: StoreError.self) { try station.bridge.use([Route("b/{x}", "b.{x}", direction: .in)]) }
            #expect(station.bridge.routes.map(\.topic.text) == ["a/{x}"])
            try station.bridge.use([Route("b/{x}", "b.{x}", direction: .in)])
            #expect(try store.text(named: "sessions at default", initial: "") == #"{"bridge":["a/+","b/+"]}"#)
        }

        private func becomesReady(_ station: Station) async throws {
            try await withTimeLimit(.seconds(30), "the bridge is ready") { try await station.bridge.becomeReady() }
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
