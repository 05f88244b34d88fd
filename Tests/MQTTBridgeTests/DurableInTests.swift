import AsyncEventBus
import MessageStore
import Mosquitto
import TestSupport
import Testing

@testable import MQTTBridge

extension BridgeTests {
    @Suite("durable in")
    struct DurableIn {
        private let routes = [Route("t/{n}", "t.{n}", direction: .in)]

        private func acknowledgements(_ broker: FakeBroker) -> [UInt16] {
            broker.peers.flatMap(\.recorded).filter { $0.type == .puback }.compactMap(\.packetID)
        }

        private func publish(_ broker: FakeBroker, _ texts: String..., id: UInt16 = 1) throws {
            let peer = try #require(broker.peers.last)
            for (offset, text) in texts.enumerated() {
                let packetID = id + UInt16(offset)
                try peer.send(.publish(topic: "t/\(text)", payload: Array(text.utf8), qos: 1, packetID: packetID))
            }
        }

        @Test("a message is acknowledged when it is committed, not before", arguments: ProtocolVersion.allCases)
        func barrier(version: ProtocolVersion) async throws {
            let broker = try FakeBroker { try $0.serve() }
            let store = WatchedStore()
            let station = try Station([try .quick(broker.url, version)], routes: routes, store: store)
            try await withRunning(station) {
                store.hold()
                defer { store.release() }
                try publish(broker, "a")
                try await until { store.isWaiting }
                try await settled { acknowledgements(broker).count }
                #expect(acknowledgements(broker) == [])
                #expect(station.count == 0)
                store.release()
                try await until { acknowledgements(broker) == [1] }
                try await station.hears(1)
            }
            #expect(broker.errors.isEmpty)
        }

        @Test("a message stays until every named listener has finished; others are not waited for")
        func leaves() async throws {
            let broker = try FakeBroker { try $0.serve() }
            let store = MemoryStore()
            let station = try Station([try .quick(broker.url)], routes: routes, store: store)
            let (slow, unnamed) = (Hearer(isOpen: false), Hearer(isOpen: false))
            try slow.join(station.bus, "slow", to: "t.a")
            try unnamed.join(station.bus, nil, to: "t.*")
            try await withRunning(station) {
                try publish(broker, "a", "b")
                try await until { acknowledgements(broker) == [1, 2] }
                try await station.hears(2)
                try await until { slow.calls.count == 1 && unnamed.calls.count == 1 }
                try await until { try store.count(.inbound) == 1 }
                slow.open()
                try await until { try store.count(.inbound) == 0 }
                #expect(unnamed.finished.isEmpty)
                unnamed.open()
            }
            #expect(slow.finished == ["a"])
            #expect(unnamed.finished == ["a", "b"])
        }

        @Test("after a crash the listeners that had finished do not run again; the others do, and see it")
        func crash() async throws {
            let broker = try FakeBroker { try $0.serve() }
            let store = MemoryStore()
            let names = ["quick", "slow", "failing"]
            func listeners(_ bus: EventBus, isOpen: Bool) throws -> [String: Hearer] {
                let hearers = ["quick": Hearer(), "slow": Hearer(isOpen: isOpen), "failing": Hearer()]
                if !isOpen { hearers["failing"]?.fail(at: ["a", "b", "c"]) }
                let retry = RetryPolicy(attempts: 100, shortest: .milliseconds(1), longest: .milliseconds(50))
                for (name, hearer) in hearers { try hearer.join(bus, name, retry: retry) }
                return hearers
            }
            let process = WatchedStore(store)
            let first = try Station([try .quick(broker.url)], routes: routes, store: process, hears: false)
            let before = try listeners(first.bus, isOpen: false)
            try await withRunning(first) {
                try publish(broker, "a", "b", "c")
                try await until { before["quick"]?.finished.count == 3 }
                try await until { (before["failing"]?.calls.count ?? 0) > 2 }
                try await until { try store.finished("quick") == 3 }
                process.fail(.io)
                before["slow"]?.open()
                before["failing"]?.fail(at: [])
            }
            let second = try Station([try .quick(broker.url)], routes: routes, store: store, hears: false)
            let after = try listeners(second.bus, isOpen: true)
            try await withRunning(second) {
                try await until { try store.count(.inbound) == 0 }
            }
            #expect(after["quick"]?.calls == [])
            for name in names.dropFirst() {
                #expect(after[name]?.finished == ["a", "b", "c"], "\(name)")
                #expect(after[name]?.calls.allSatisfy { $0.attempt > 1 } == true, "\(name)")
            }
        }

        @Test("a second copy is dropped and counted, also after a restart; messages without an identity never are")
        func doubles() async throws {
            let broker = try MosquittoBroker.start()
            let store = MemoryStore()
            func run(_ expected: [String], _ numbers: [Int]) async throws {
                let station = try Station([try .quick(broker.url)], routes: routes, store: store)
                try await withPlainClient(broker.url, []) { plain in
                    try await withRunning(station) {
                        for number in numbers {
                            let user: [MessageProperties.UserProperty] = [
                                .init(PropertyName.id, "elsewhere/\(number)")
                            ]
                            try await plain.publish("t/a", "\(number)", user: user)
                            try await plain.publish("t/a", "plain")
                        }
                        try await station.hears(expected.count + numbers.count)
                        try await settled { station.count }
                        #expect(station.texts("t.a").filter { $0 != "plain" } == expected)
                        #expect(station.count == expected.count + numbers.count)
                        if expected.count < numbers.count {
                            let report = try await station.tells("loop")
                            #expect(report["reason"] == "another copy came before")
                        }
                    }
                }
                #expect(try store.count(.inbound) == 0)
            }
            try await run(["1", "2"], [1, 1, 2])
            try await run(["3"], [1, 2, 3, 3])
            #expect(try store.status().seen == 3)
        }

        @Test("a message that is too large is acknowledged, told and remembered without its payload")
        func tooLarge() async throws {
            let broker = try FakeBroker { try $0.serve() }
            let store = MemoryStore()
            var options = BridgeOptions()
            options.maximumPayload = 3
            let station = try Station([try .quick(broker.url)], routes: routes, options: options, store: store)
            try await withRunning(station) {
                try publish(broker, "four", "two")
                try await until { acknowledgements(broker) == [1, 2] }
                try await station.hears(1)
                #expect(try await station.tells("deadletter")["event"] == "t.four")
                #expect(broker.connections == 1)
            }
            #expect(station.reports("deadletter").count == 1)
            #expect(station.reports("dropped").isEmpty, "a dead letter is told once")
            let letter = try #require(try store.letters.first)
            #expect(letter.payload == nil)
            #expect((letter.payloadSize, letter.topic, letter.event) == (4, "t/four", "t.four"))
            #expect(letter.direction == .inbound)
            // To run it again there is nothing; that it was there stays known.
            #expect(try store.requestReplay(of: .all) == 0)
            #expect(try store.letters == [letter])
        }

        @Test("what has expired when its listener comes to it is not run, by the route's time and by the message's own")
        func expiry() async throws {
            let broker = try FakeBroker { try $0.serve() }
            let store = MemoryStore()
            var routes = [Route("t/{n}", "t.{n}", direction: .in), Route("u/{n}", "u.{n}", direction: .in)]
            routes[0].timeToLive = .milliseconds(300)
            let station = try Station([try .quick(broker.url)], routes: routes, store: store, hears: false)
            let slow = Hearer(isOpen: false)
            try slow.join(station.bus, "slow", capacity: 1)
            try await withRunning(station) {
                try publish(broker, "first", "late")
                let peer = try #require(broker.peers.first)
                let properties: [FakeBroker.Property] = [.messageExpiry(1)]
                try peer.send(.publish(topic: "u/x", payload: [120], qos: 1, packetID: 3, properties: properties))
                try peer.send(.publish(topic: "u/y", payload: [121], qos: 1, packetID: 4))
                try await until { try store.count(.inbound) == 4 }
                let now = ContinuousClock.now
                try await until { .now - now > .milliseconds(1_100) }
                slow.open()
                try await until { try store.count(.inbound) == 0 }
                try await station.tells("dropped")
            }
            #expect(slow.finished == ["first", "y"])
        }

        @Test("a durable route at QoS 2 is subscribed at QoS 1, and that is said", arguments: [true, false])
        func exactlyOnce(isDurable: Bool) async throws {
            let broker = try FakeBroker { try $0.serve() }
            let route = Route(
                "t/{n}",
                "t.{n}",
                direction: .in,
                qos: .exactlyOnce,
                durability: isDurable ? nil : .memory
            )
            let station = try Station([try .quick(broker.url)], routes: [route], store: MemoryStore())
            try await withRunning(station) {
                let packet = try #require(broker.peers.first?.recorded.first { $0.type == .subscribe })
                #expect(try packet.subscribe().filters.map(\.qos) == [isDurable ? 1 : 2])
            }
            #expect(RouteCheck.notes(on: [route], hasStore: true).count == (isDurable ? 1 : 0))
            #expect(RouteCheck.notes(on: [route], hasStore: false).isEmpty)
        }

        @Test("with a durable route in, identifier and session stay the same from process to process")
        func session() async throws {
            let broker = try FakeBroker { try $0.serve() }
            let store = MemoryStore()
            for _ in 0..<2 {
                let station = try Station([try .quick(broker.url)], routes: routes, store: store)
                try await withRunning(station) {}
            }
            var out = Route("t/{n}", "t.{n}", direction: .out)
            out.durability = .disk
            for _ in 0..<2 {
                let outOnly = try Station([try .quick(broker.url)], routes: [out], store: store)
                try await withRunning(outOnly) {}
            }
            let packets = broker.peers.flatMap(\.recorded).filter { $0.type == .connect }
            let connects = try packets.map { try $0.connect() }
            try #require(connects.count == 4)
            #expect(connects[0].clientID == connects[1].clientID)
            // Ends the session that nobody needs any more; from then on nothing depends on the identifier.
            #expect(connects[0].clientID == connects[2].clientID)
            #expect(connects[0].clientID != connects[3].clientID)
            #expect(connects.map(\.cleanStart) == [false, false, true, true])
            #expect(connects[0].properties.contains(.sessionExpiry(86_400)))
        }
    }
}

extension MessageStore {
    /// How many messages a listener has finished that others have not.
    fileprivate func finished(_ listener: String) throws -> Int {
        try inbound(after: 0, limit: 1_000, bytes: .max).count { $0.progress[listener]?.isFinished == true }
    }
}
