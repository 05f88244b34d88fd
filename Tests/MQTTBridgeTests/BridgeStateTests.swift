import AsyncEventBus
import MessageStore
import Mosquitto
import TestSupport
import Testing

@testable import MQTTBridge

extension BridgeTests {
    /// State that brokers keep, while lines are cut.
    @Suite("retained state", .needsMosquitto)
    struct States {
        struct Mode: Sendable, CustomTestStringConvertible {
            let version: ProtocolVersion
            let keepsSession: Bool
            let hasStore: Bool
            var retain = Retention.always

            static let all = ProtocolVersion.allCases.flatMap { version in
                [false, true].flatMap { session in
                    [false, true].map { Mode(version: version, keepsSession: session, hasStore: $0) }
                }
            }

            static let asReceived = all.filter { $0.version == .v5 }.map { mode in
                var mode = mode
                mode.retain = .asReceived
                return mode
            }

            var testDescription: String {
                "MQTT \(version.rawValue)\(keepsSession ? ", session" : "")\(hasStore ? ", store" : "")"
                    + (retain == .asReceived ? ", as received" : "")
            }

            func broker(_ url: String, _ name: String) throws -> Broker {
                try .quick(url, version, name: name) { options in
                    options.clientID = "bridge-\(name)"
                    options.session.expiry = keepsSession ? .seconds(600) : .zero
                }
            }

            var durability: MQTTBridge.Durability { hasStore ? .disk : .memory }

            func route(_ name: String) -> Route {
                Route("home/{x}", "home.{x}", name: name, broker: name, retain: retain, durability: durability)
            }
        }

        /// What a broker has kept below `home/`, by topic.
        private func state(_ url: String) async throws -> [String: String] {
            try await withPlainClient(url, ["home/#"]) { client in
                _ = try? await client.hears(200, within: .seconds(2))
                return Dictionary(zip(client.messages.map(\.topic), client.texts)) { $1 }
            }
        }

        private func bothKeep(_ text: String, _ topic: String, _ left: String, _ right: String) async throws -> Bool {
            try await eventually {
                let found = (try await kept(topic, left), try await kept(topic, right))
                return found.0 == text && found.1 == text
            }
        }

        @Test(
            "an older state does not overwrite a newer one after a cut, whichever side has changed",
            arguments: Mode.all + Mode.asReceived
        )
        func cut(mode: Mode) async throws {
            let (left, right) = (try MosquittoBroker.start(), try MosquittoBroker.start())
            let proxy = try TCPProxy(to: right.port)
            let station = try Station(
                [
                    mode.broker(left.url, "left"), mode.broker("mqtt://127.0.0.1:\(proxy.port)", "right"),
                ],
                routes: ["left", "right"].map { mode.route($0) },
                store: mode.hasStore ? MemoryStore() : nil
            )
            try await withPlainClient(left.url, [], version: mode.version) { near in
                try await withPlainClient(right.url, [], version: mode.version) { far in
                    try await withRunning(station) {
                        for name in ["a", "b", "c"] { try await near.publish("home/\(name)", "old", retain: true) }
                        for name in ["a", "b", "c"] {
                            #expect(try await bothKeep("old", "home/\(name)", left.url, right.url))
                        }
                        let before = station.reports("disconnected").count
                        proxy.mode = .reset
                        try await station.tells("disconnected", before + 1)
                        // Changed on the near side; on the far one; and on both.
                        try await near.publish("home/a", "new", retain: true)
                        try await far.publish("home/b", "new", retain: true)
                        try await far.publish("home/c", "lost", retain: true)
                        try await near.publish("home/c", "new", retain: true)
                        // Newer is what the bridge has heard by the time the line is back.
                        #expect(try await eventually { station.texts("home.c").last == "new" })
                        proxy.mode = .forward
                        for name in ["a", "b", "c"] {
                            #expect(try await bothKeep("new", "home/\(name)", left.url, right.url), "home/\(name)")
                        }
                        // Cut once more, with nothing changed: nobody hears anything.
                        try await settled { station.count }
                        let (count, cuts) = (station.count, station.reports("disconnected").count)
                        let ready = station.reports("subscribed").count
                        proxy.resetConnections()
                        try await station.tells("disconnected", cuts + 1)
                        try await station.tells("subscribed", ready + 1)
                        try await settled { station.count }
                        #expect(station.count == count, "\(station.events.suffix(from: count).map { $0.name })")
                    }
                }
            }
            #expect(station.events.count { $0.payload.text == "old" } == 3)
        }

        @Test(
            "of two changes at the same time, one becomes the state at both brokers",
            arguments: Mode.all + Mode.asReceived
        )
        func crossing(mode: Mode) async throws {
            // Answers of a broker pass the messages that it holds back when its window is full.
            let configuration = "allow_anonymous true\nmax_inflight_messages 0"
            let left = try MosquittoBroker.start(configuration: configuration)
            let right = try MosquittoBroker.start(configuration: configuration)
            let station = try Station(
                [mode.broker(left.url, "left"), mode.broker(right.url, "right")],
                routes: ["left", "right"].map { mode.route($0) },
                store: mode.hasStore ? MemoryStore() : nil
            )
            let names = (0..<200).map { "home/\($0)" }
            try await withPlainClient(left.url, [], version: mode.version) { near in
                try await withPlainClient(right.url, [], version: mode.version) { far in
                    try await withRunning(station) {
                        async let lefts: Void = {
                            for name in names { try await near.publish(name, "left", retain: true) }
                        }()
                        async let rights: Void = {
                            for name in names { try await far.publish(name, "right", retain: true) }
                        }()
                        _ = try await (lefts, rights)
                        try await settled { station.count }
                        var differing: [String] = []
                        _ = try await eventually {
                            let found = (try await state(left.url), try await state(right.url))
                            differing = names.filter { found.0[$0] == nil || found.0[$0] != found.1[$0] }
                            return differing.isEmpty
                        }
                        #expect(differing.isEmpty)
                    }
                }
            }
        }

        @Test("kept state is an event at the start, and not again at each connection", arguments: Mode.all)
        func unchanged(mode: Mode) async throws {
            let broker = try MosquittoBroker.start()
            let proxy = try TCPProxy(to: broker.port)
            let station = try Station(
                [mode.broker("mqtt://127.0.0.1:\(proxy.port)", "left")],
                routes: [Route("home/{x}", "home.{x}", direction: .in, broker: "left", durability: mode.durability)],
                store: mode.hasStore ? MemoryStore() : nil
            )
            try await withPlainClient(broker.url, [], version: mode.version) { plain in
                for name in ["a", "b"] { try await plain.publish("home/\(name)", "1", retain: true) }
                try await withRunning(station) {
                    try await station.hears(2)
                    try await plain.publish("home/b", "2", retain: true)
                    try await station.hears(3)
                    for round in 1...3 {
                        let ready = station.reports("subscribed").count
                        // What is not acknowledged comes again, which is another matter.
                        try await settled { station.count }
                        proxy.resetConnections()
                        try await station.tells("disconnected", round)
                        try await station.tells("subscribed", ready + 1)
                        try await plain.publish("home/a", "\(round + 1)", retain: true)
                        try await station.hears(3 + round)
                    }
                    try await settled { station.count }
                }
            }
            #expect(station.texts("home.a") == ["1", "2", "3", "4"])
            #expect(station.texts("home.b") == ["1", "2"])
        }

        @Test(
            "two brokers with different states end up with one of them at a start",
            arguments: ProtocolVersion.allCases
        )
        func start(version: ProtocolVersion) async throws {
            let mode = Mode(version: version, keepsSession: false, hasStore: false)
            let (left, right) = (try MosquittoBroker.start(), try MosquittoBroker.start())
            let station = try Station(
                [mode.broker(left.url, "left"), mode.broker(right.url, "right")],
                routes: ["left", "right"].map { Route("home/{x}", "home.{x}", name: $0, broker: $0, retain: true) }
            )
            try await withPlainClient(left.url, [], version: version) { near in
                try await withPlainClient(right.url, [], version: version) { far in
                    for number in 0..<10 {
                        try await near.publish("home/\(number)", "left", retain: true)
                        try await far.publish("home/\(number)", "right", retain: true)
                    }
                    try await withRunning(station) {
                        for number in 0..<10 {
                            let isOne = try await eventually {
                                let found = (
                                    try await kept("home/\(number)", left.url),
                                    try await kept("home/\(number)", right.url)
                                )
                                return found.0 != nil && found.0 == found.1
                            }
                            #expect(isOne, "home/\(number)")
                        }
                    }
                }
            }
            #expect(
                RouteCheck.notes(on: station.routesForNotes, hasStore: false).count { $0.contains("mirror") } == 1
            )
        }
    }
}

extension Station {
    fileprivate var routesForNotes: [Route] {
        ["left", "right"].map { Route("home/{x}", "home.{x}", name: $0, broker: $0, retain: true) }
    }
}
