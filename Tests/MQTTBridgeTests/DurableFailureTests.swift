import AsyncEventBus
import MessageStore
import Mosquitto
import TestSupport
import Testing

@testable import MQTTBridge

extension BridgeTests {
    @Suite("a store that fails")
    struct DurableFailure {
        private let routes = [Route("t/{n}", "t.{n}", direction: .in), Route("o/{n}", "o.{n}", direction: .out)]

        @Test(
            "F21: nothing is acknowledged, it is told, and all goes on by itself when the store works again",
            arguments: [StoreError.Code.full, .io]
        )
        func failing(code: StoreError.Code) async throws {
            let broker = try MosquittoBroker.start()
            let store = WatchedStore()
            let station = try Station(
                [try .quick(broker.url) { $0.timeouts.hold = .milliseconds(50) }],
                routes: routes,
                store: store
            )
            try await withPlainClient(broker.url, ["o/#"]) { plain in
                try await withRunning(station) {
                    try await plain.publish("t/a", "0")
                    try await station.hears(1)
                    store.fail(code)
                    for number in 1...50 {
                        let user: [MessageProperties.UserProperty] = [
                            .init(PropertyName.id, "elsewhere/\(number)")
                        ]
                        try await plain.publish("t/a", "\(number)", user: user)
                    }
                    #expect(try await station.tells("storefailed")["code"] == "\(code)")
                    #expect(try await station.tells("parked")["reason"] == "the store cannot be written")
                    let receipt = station.bus.tracked.emit("o.a", "out")
                    #expect(station.texts("t.a") == ["0"])
                    store.fail(nil)
                    try await station.tells("storerecovered")
                    try await station.tells("resumed")
                    try await withTimeLimit(.seconds(30)) { try await receipt.stored() }
                    try await withTimeLimit(.seconds(30)) { try await receipt.published() }
                    // One of them is the emit.
                    try await station.hears(52)
                    try await until { try store.count(.inbound) == 0 && store.count(.outbound) == 0 }
                    try await plain.hears(1)
                }
            }
            #expect(station.texts("t.a") == (0...50).map(String.init))
            #expect(station.reports("storefailed").count == 1)
            #expect(station.reports("storerecovered").count == 1)
        }

        @Test("what was refused is taken when it comes again, on routes that are not durable too, and passed on")
        func refusedBatch() async throws {
            let far = try FakeBroker { try $0.serve() }
            let near = try FakeBroker { try $0.serve() }
            let store = WatchedStore()
            let routes = [
                Route("d/{n}", "d.{n}", direction: .in), Route("m/{n}", "m.{n}", direction: .in, durability: .memory),
                Route("d/{n}", "d.{n}", direction: .out, broker: "far"),
            ]
            let brokers = [try Broker.quick(near.url), try Broker.quick(far.url, name: "far")]
            let station = try Station(brokers, routes: routes, store: store)
            let properties: [FakeBroker.Property] = [
                .userProperty(PropertyName.id, "elsewhere/1")
            ]
            func send() throws {
                let encoded = ["d/a", "m/a"].enumerated().flatMap { offset, topic in
                    FakeBroker.ServerPacket
                        .publish(topic: topic, qos: 1, packetID: UInt16(offset + 1), properties: properties)
                        .encode(.v5)
                }
                try #require(near.peers.last).sendRaw(encoded)
            }
            try await withRunning(station) {
                store.fail(.full)
                try send()
                try await station.tells("parked")
                #expect(station.count == 0)
                store.fail(nil)
                try await until { near.connections == 2 && station.bridge.isReady }
                try send()
                try await station.hears(2)
                try await until {
                    far.peers.flatMap(\.recorded).count { $0.type == .publish } == 1
                }
            }
            #expect(Set(station.events.map(\.name)) == ["d.a", "m.a"])
        }

        @Test("what could not be read when it was wanted is read later, for every listener and broker")
        func unreadable() async throws {
            let broker = try MosquittoBroker.start()
            let store = WatchedStore()
            let quick = try Broker.quick(broker.url) { $0.limits.queueCapacity = 2 }
            let station = try Station([quick], routes: routes, store: store, hears: false)
            let hearers = (0..<3).map { _ in Hearer(isOpen: false) }
            for (number, hearer) in hearers.enumerated() {
                try hearer.join(station.bus, "slow \(number)", to: "t.*", capacity: 1)
            }
            try await withPlainClient(broker.url, ["o/#"]) { plain in
                try await withRunning(station) {
                    for number in 0..<5 { try await plain.publish("t/a", "\(number)") }
                    try await until { try store.count(.inbound) == 5 }
                    store.failReads(.io)
                    for hearer in hearers { hearer.open() }
                    for number in 0..<5 { station.bus.emit("o.a", "\(number)") }
                    try await station.tells("storefailed")
                    try await until { hearers.allSatisfy { $0.finished == ["0"] } }
                    store.failReads(nil)
                    try await until { hearers.allSatisfy { $0.finished.count == 5 } }
                    try await plain.hears(5)
                    try await until { try store.count(.inbound) == 0 && store.count(.outbound) == 0 }
                }
                #expect(plain.texts == (0..<5).map(String.init))
            }
        }

        @Test("every call of the store fails once, and nothing is lost")
        func eachCall() async throws {
            let broker = try MosquittoBroker.start()
            var call = 0
            var hasFailed = true
            while hasFailed {
                call += 1
                let memory = MemoryStore()
                let store = FaultyStore(memory, failing: 0)
                let station = try Station([try .quick(broker.url)], routes: routes, store: store, hears: false)
                let slow = Hearer()
                try slow.join(station.bus, "slow", to: "t.*", capacity: 1)
                try await withPlainClient(broker.url, ["o/#"]) { plain in
                    try await withRunning(station) {
                        store.fail(call, with: StoreError(.io, operation: "use the store"))
                        for number in 0..<3 {
                            try await plain.publish("t/a", "\(number)")
                            station.bus.emit("o.a", "\(number)")
                        }
                        try await until { slow.finished.count >= 3 }
                        try await until { Set(plain.texts).count == 3 }
                        try await until { try memory.count(.inbound) + memory.count(.outbound) == 0 }
                    }
                }
                hasFailed = store.hasFailed && call < 10
            }
        }
    }
}
