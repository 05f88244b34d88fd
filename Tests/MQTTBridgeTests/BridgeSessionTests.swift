import AsyncEventBus
import MessageStore
import Mosquitto
import TestSupport
import Testing

@testable import MQTTBridge

extension BridgeTests {
    /// Routes that are edited while the broker keeps the session.
    @Suite("kept sessions and edited routes", .needsMosquitto)
    struct Sessions {
        private let old = Route("home/{rest...}", "home.{rest...}", direction: .in)
        private let new = Route("home/{room}/temperature", "climate.{room}", direction: .in)

        private func broker(_ url: String, _ version: ProtocolVersion) throws -> Broker {
            try .quick(url, version) { options in
                options.clientID = "bridge"
                options.session.expiry = .seconds(3_600)
            }
        }

        @Test(
            "with a store the old subscription ends, and each message comes once",
            arguments: ProtocolVersion.allCases
        )
        func replaced(version: ProtocolVersion) async throws {
            let broker = try MosquittoBroker.start()
            let store = MemoryStore()
            let before = try Station([.quick(broker.url, version)], routes: [old], store: store)
            try await withRunning(before) {}
            try await withPlainClient(broker.url, [], version: version) { plain in
                // For the session that is away: it must not be lost.
                try await plain.publish("home/attic/temperature", "away")
                let after = try Station([.quick(broker.url, version)], routes: [new], store: store)
                try await withRunning(after) {
                    for number in 0..<5 { try await plain.publish("home/kitchen/temperature", "\(number)") }
                    try await plain.publish("home/kitchen/light", "nobody's")
                    try await after.hears(6)
                    try await settled { after.count }
                    #expect(after.events.map { $0.payload.text } == ["away", "0", "1", "2", "3", "4"])
                    #expect(after.reports("dropped").isEmpty)
                }
            }
            #expect(broker.log.contains("Received UNSUBSCRIBE"))
            #expect(try store.text(named: "sessions at default", initial: "").contains(#"["home/+/temperature"]"#))
        }

        @Test("what was noted before a crash is unsubscribed after it", arguments: ProtocolVersion.allCases)
        func crashed(version: ProtocolVersion) async throws {
            let broker = try FakeBroker { peer in
                try peer.serve { $0.type == .connect ? [.connack(sessionPresent: true)] : nil }
            }
            let store = MemoryStore()
            // Noted by `init`, and the process ends before anything is sent.
            _ = try Station([.quick(broker.url, version)], routes: [old], store: store)
            let station = try Station([.quick(broker.url, version)], routes: [new], store: store)
            try await withRunning(station) {
                let packets = broker.peers.flatMap(\.recorded)
                #expect(packets.count { $0.type == .unsubscribe } == 1)
                let types = packets.map(\.type)
                let subscribe = try #require(types.firstIndex(of: .subscribe))
                let unsubscribe = try #require(types.firstIndex(of: .unsubscribe))
                #expect(subscribe < unsubscribe)
            }
            // Once it has been answered, it is not sent again.
            let again = try Station([.quick(broker.url, version)], routes: [new], store: store)
            try await withRunning(again) {
                #expect(broker.peers.last?.recorded.contains { $0.type == .unsubscribe } == false)
            }
        }

        @Test(
            "when the last durable route in is removed, the broker stops collecting for it",
            arguments: ProtocolVersion.allCases
        )
        func removed(version: ProtocolVersion) async throws {
            let broker = try MosquittoBroker.start()
            let store = MemoryStore()
            let before = try Station([.quick(broker.url, version)], routes: [old], store: store)
            try await withRunning(before) {}
            let out = [Route("light/{x}", "light.{x}", direction: .out)]
            let without = try Station([.quick(broker.url, version)], routes: out, store: store)
            _ = try await withRunning(without, ready: false) { try await without.tells("connected") }
            let after = try Station([.quick(broker.url, version)], routes: [old], store: store)
            try await withPlainClient(broker.url, [], version: version) { plain in
                try await plain.publish("home/x", "for nobody")
                try await withRunning(after) {
                    #expect(try await after.tells("connected")["session_present"] == "false")
                    try await plain.publish("home/x", "heard")
                    try await after.hears(1)
                }
            }
            #expect(after.texts("home.x") == ["heard"])
        }

        @Test(
            "without a store, what only the old subscription asks for is counted and told",
            arguments: ProtocolVersion.allCases
        )
        func strays(version: ProtocolVersion) async throws {
            let broker = try MosquittoBroker.start()
            try await withRunning(Station([self.broker(broker.url, version)], routes: [old])) {}
            let station = try Station([self.broker(broker.url, version)], routes: [new])
            try await withPlainClient(broker.url, [], version: version) { plain in
                try await withRunning(station) {
                    try await plain.publish("home/kitchen/light", "1")
                    let report = try await station.tells("dropped")
                    #expect(report["topic"] == "home/kitchen/light")
                    #expect(report["reason"]?.contains("earlier configuration") == true)
                }
            }
            #expect(station.count == 0)
        }

        @Test("what a merged filter takes in beside is nobody's mistake")
        func merged() async throws {
            let broker = try MosquittoBroker.start()
            let routes = [new, Route("home/kitchen/{rest...}", "kitchen.{rest...}", direction: .in)]
            let station = try Station([self.broker(broker.url, .v5)], routes: routes)
            try await withPlainClient(broker.url, []) { plain in
                try await withRunning(station) {
                    try await plain.publish("home/attic/light", "1")
                    try await plain.publish("home/attic/temperature", "2")
                    try await station.hears(1)
                }
            }
            #expect(station.reports("dropped").isEmpty)
        }

        @Test(
            "a topic of which a route can make no event is counted, told, and on a durable route kept",
            arguments: [true, false]
        )
        func unnamed(isDurable: Bool) async throws {
            let broker = try MosquittoBroker.start()
            let store = MemoryStore()
            let route = Route("homie/{rest...}", "{rest...}", direction: .in)
            let other = Route("homie/{rest...}", "all.{rest...}", direction: .in)
            for routes in [[route], [route, other]] {
                let station = try Station([.quick(broker.url)], routes: routes, store: isDurable ? store : nil)
                try await withPlainClient(broker.url, []) { plain in
                    try await withRunning(station) {
                        for topic in ["homie/", "homie", "homie/$broadcast/x"] { try await plain.publish(topic, topic) }
                        try await plain.publish("homie/x", "fine")
                        try await station.hears(routes.count * 4 - 3)
                        let report = try await station.tells(isDurable ? "deadletter" : "dropped")
                        #expect(report["topic"] == "homie/")
                        if isDurable { try await until { try store.letters.count == 3 } }
                    }
                }
                #expect(station.texts("x") == ["fine"])
                guard isDurable else { continue }
                let letters = try store.letters
                #expect(letters.map(\.topic) == ["homie/", "homie", "homie/$broadcast/x"])
                #expect(letters.map { $0.payload.map { String(decoding: $0, as: UTF8.self) } } == letters.map(\.topic))
                #expect(try store.requestReplay(of: .all) == 0)
                _ = try store.dropDeadLetters(.all)
            }
            #expect(RouteCheck.notes(on: [route, other], hasStore: true).count == 1)
            #expect(RouteCheck.notes(on: [.everything(), Route("{a}/{b}", "{a}.x.{b}")], hasStore: true).isEmpty)
        }
    }
}
