import AsyncEventBus
import MessageStore
import Mosquitto
import TestSupport
import Testing

@testable import MQTTBridge

extension BridgeTests {
    @Suite("store and forward")
    struct DurableGateway {
        private func routes(_ inbound: Durability) -> [Route] {
            [
                Route("t/{n}", "t.{n}", direction: .in, broker: "near", durability: inbound),
                Route("t/{n}", "t.{n}", direction: .out, broker: "far"),
            ]
        }

        @Test(
            "what comes in while the far broker is away waits in the store, and arrives once",
            arguments: Durability.allCases
        )
        func away(inbound: Durability) async throws {
            let (near, far) = (try MosquittoBroker.start(), try MosquittoBroker.start())
            far.stop()
            let store = WatchedStore()
            let brokers = [try Broker.quick(near.url, name: "near"), try Broker.quick(far.url, name: "far")]
            let station = try Station(brokers, routes: routes(inbound), store: store)
            try await withRunning(station, ready: false) {
                try await station.tells("subscribed")
                try await withPlainClient(near.url, []) { plain in
                    for number in 0..<20 { try await plain.publish("t/a", "\(number)") }
                }
                try await station.hears(20)
                try await until { try store.waiting(for: "far") == (0..<20).map(String.init) }
                if inbound == .disk {
                    // In the same commit as the message itself, or a crash between them would lose it.
                    for batch in store.batches { #expect(batch.arrivals.count == batch.departures.count) }
                }
                try far.restart()
                try await withPlainClient(far.url) { plain in
                    try await until { try store.count(.outbound) == 0 }
                    try await settled { plain.count }
                    let numbers = plain.texts.compactMap { Int($0) }
                    #expect(zip(numbers, numbers.dropFirst()).allSatisfy { $0 + 1 == $1 })
                }
                try await until { try store.count(.inbound) == 0 }
            }
            #expect(store.batches.flatMap(\.departures).count == 20)
            #expect(station.texts("t.a") == (0..<20).map(String.init))
        }

        @Test("a full store of one broker holds the broker that its messages come from, and nothing is lost")
        func pressure() async throws {
            let (near, far) = (try MosquittoBroker.start(), try MosquittoBroker.start())
            far.stop()
            let store = MemoryStore()
            var routes = routes(.disk)
            routes[1].limits = StoreLimits(messages: 10, bytes: 1_000_000)
            let source = try Broker.quick(near.url, name: "near") { $0.timeouts.hold = .zero }
            let brokers = [source, try Broker.quick(far.url, name: "far")]
            let station = try Station(brokers, routes: routes, store: store)
            try await withRunning(station, ready: false) {
                try await station.tells("subscribed")
                try await withPlainClient(near.url, []) { plain in
                    for number in 0..<500 { try await plain.publish("t/a", "\(number)") }
                }
                #expect(try await station.tells("parked")["broker"] == "near")
                #expect(try store.count(.outbound) < 10 + 256)
                try far.restart()
                try await station.hears(500)
                try await until { try store.count(.outbound) == 0 }
            }
            #expect(station.texts("t.a") == (0..<500).map(String.init))
            #expect(station.droppedNothing)
        }
    }

    @Suite("durable: shutdown")
    struct DurableShutdown {
        @Test("F26: what was accepted before the end is stored or done with, and the next process finishes it")
        func underLoad() async throws {
            let broker = try MosquittoBroker.start()
            let store = MemoryStore()
            let routes = [Route("t/{n}", "t.{n}", direction: .in), Route("o/{n}", "o.{n}", direction: .out)]
            let accepted = Locked<Set<String>>([])
            let numbers = (0..<3_000).map(String.init)
            try await withPlainClient(broker.url, ["o/#"]) { plain in
                let first = try Station([try .quick(broker.url)], routes: routes, store: store, hears: false)
                let hearer = Hearer()
                try hearer.join(first.bus, "work", to: "t.*")
                let (publisher, emitter) = try await withRunning(first) {
                    let bus = first.bus
                    let publisher = Task {
                        for number in numbers.prefix(600) { try await plain.publish("t/a", number) }
                    }
                    let emitter = Task {
                        for number in numbers {
                            let receipt = bus.tracked.emit("o.a", Payload(number))
                            guard (try? await receipt.stored()) != nil else { continue }
                            accepted.withLock { _ = $0.insert(number) }
                        }
                    }
                    try await until { hearer.finished.count > 50 && accepted.withLock { $0.count } > 50 }
                    return (publisher, emitter)
                }
                let second = try Station([try .quick(broker.url)], routes: routes, store: store, hears: false)
                let rest = Hearer()
                try rest.join(second.bus, "work", to: "t.*")
                try await withRunning(second) {
                    try await withTimeLimit(.seconds(20)) { try await publisher.value }
                    // Each receipt has come to an end, also those of the last moment.
                    try await withTimeLimit(.seconds(20)) { await emitter.value }
                    try await until(within: .seconds(30)) {
                        Set(hearer.finished + rest.finished) == Set(numbers.prefix(600))
                    }
                    try await until(within: .seconds(30)) {
                        try store.count(.inbound) == 0 && store.count(.outbound) == 0
                    }
                    try await until { accepted.withLock { $0 }.isSubset(of: plain.texts) }
                }
                #expect(accepted.withLock { $0.count } > 50)
            }
        }

        @Test("receipts of what is stored and not published come to an end with the bridge")
        func receipts() async throws {
            let broker = try FakeBroker { try $0.serve { $0.type == .publish ? [] : nil } }
            let store = MemoryStore()
            let quick = try Broker.quick(broker.url) { $0.timeouts.drain = .milliseconds(100) }
            let station = try Station([quick], routes: [Route("o/{n}", "o.{n}", direction: .out)], store: store)
            let receipts = try await withRunning(station) {
                let receipts = (0..<2_000).map { station.bus.tracked.emit("o.a", Payload("\($0)")) }
                for receipt in receipts { try await withTimeLimit(.seconds(30)) { try await receipt.stored() } }
                return receipts
            }
            for receipt in receipts {
                let error = await #expect(throws: EventBusError.self) {
                    try await withTimeLimit(.seconds(30)) { try await receipt.published() }
                }
                #expect(error?.code == .postponed)
            }
            let late = station.bus.tracked.emit("o.a", "late")
            #expect(late.summary.relayed == 0)
            #expect(try store.waiting() == (0..<2_000).map(String.init))
        }
    }
}
