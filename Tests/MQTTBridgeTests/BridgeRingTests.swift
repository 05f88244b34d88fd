import AsyncEventBus
import Mosquitto
import TestSupport
import Testing

@testable import MQTTBridge

extension BridgeTests {
    /// Two brokers joined by two bridges: issue 2, section 6.2, F19 and docs/loops.md.
    @Suite("a ring of two brokers and two bridges")
    struct Rings {
        struct Ring: Sendable {
            let left: MosquittoBroker
            let right: MosquittoBroker
            let p: Station
            let q: Station

            init(_ mode: Echoes.Mode, options: BridgeOptions = BridgeOptions()) throws {
                let (left, right) = (try MosquittoBroker.start(), try MosquittoBroker.start())
                func station() throws -> Station {
                    try Station(
                        [
                            try .quick(left.url, mode.version, name: "left", metadata: mode.metadata),
                            try .quick(right.url, mode.version, name: "right", metadata: mode.metadata),
                        ],
                        routes: ["left", "right"].map { Route("{t...}", "{t...}", name: $0, broker: $0) },
                        options: options
                    )
                }
                (self.left, self.right, p, q) = (left, right, try station(), try station())
            }

            /// Runs both bridges and a plain client at each broker, until nothing moves any more.
            func run(
                _ version: ProtocolVersion,
                _ body: (_ left: PlainClient, _ right: PlainClient) async throws -> Void
            ) async throws -> (left: [Message], right: [Message]) {
                try await withPlainClient(left.url, version: version) { left in
                    try await withPlainClient(right.url, version: version) { right in
                        try await withRunning(p, q) {
                            try await body(left, right)
                            try await settled { p.count + q.count + left.count + right.count }
                        }
                        return (left.messages, right.messages)
                    }
                }
            }
        }

        static let withIdentity = Echoes.Mode.all.filter {
            WireFormat(version: $0.version, metadata: $0.metadata).carriesIdentity
        }

        static let without = [
            Echoes.Mode(version: .v5, metadata: .none), Echoes.Mode(version: .v3_1_1, metadata: .none),
        ]

        @Test(
            "1,000 emits of one process are 1,000 events in the other, and once or twice at each broker",
            arguments: withIdentity
        )
        func emits(mode: Echoes.Mode) async throws {
            let ring = try Ring(mode)
            let seen = try await ring.run(mode.version) { left, right in
                for number in 0..<1_000 { ring.p.bus.emit(EventName(spelled: "n.\(number)"), "\(number)") }
                try await ring.q.hears(1_000)
                try await left.hears(1_000)
                try await right.hears(1_000)
            }
            #expect(ring.p.count == 1_000)
            #expect(ring.q.count == 1_000)
            #expect(Set(ring.q.events.map(\.name)).count == 1_000)
            for copies in [seen.left, seen.right] {
                let counts = Dictionary(copies.map { ($0.topic, 1) }, uniquingKeysWith: +)
                #expect(counts.count == 1_000)
                #expect(counts.values.allSatisfy { $0 <= 2 })
                if mode.version == .v5 {
                    let name = mode.metadata == .minimal ? "bridgeid" : "id"
                    let identities = Set(copies.map { "\($0.topic) \($0.properties[user: name] ?? "-")" })
                    #expect(identities.count == 1_000)
                }
            }
            print("ring, \(mode.testDescription): \(seen.left.count) and \(seen.right.count) copies of 1,000 emits")
            #expect(ring.p.droppedNothing && ring.q.droppedNothing)
        }

        @Test("a plain client's message comes twice to each process and its copies end", arguments: withIdentity)
        func plain(mode: Echoes.Mode) async throws {
            let ring = try Ring(mode)
            let seen = try await ring.run(mode.version) { left, _ in
                for number in 0..<100 { try await left.publish("n/\(number)", "\(number)") }
                try await ring.p.hears(200)
                try await ring.q.hears(200)
            }
            let counts = [ring.p.count, ring.q.count, seen.left.count, seen.right.count]
            print("ring, \(mode.testDescription): 100 plain messages: p, q, left, right \(counts)")
            #expect(ring.p.count == 200)
            #expect(ring.q.count == 200)
            #expect(seen.left.count <= 300)
            #expect(seen.right.count <= 200)
            #expect(ring.p.droppedNothing && ring.q.droppedNothing)
        }

        @Test("a storm without identities trips the breaker, is told, and ends", arguments: without)
        func storm(mode: Echoes.Mode) async throws {
            let ring = try Ring(mode)
            let seen = try await ring.run(mode.version) { left, _ in
                try await left.publish("n", "storm")
                try await ring.p.hears(1)
                try await ring.q.hears(1)
            }
            let counts = [ring.p.count, ring.q.count, seen.left.count, seen.right.count]
            print("ring, \(mode.testDescription): 1 plain message: p, q, left, right \(counts)")
            #expect(!ring.p.reports("loop").isEmpty || !ring.q.reports("loop").isEmpty)
            // Two processes, each passes it on 9 times at most, and there is the message itself.
            #expect(counts.allSatisfy { $0 <= 40 })
            #expect(ring.p.droppedNothing && ring.q.droppedNothing)
        }

        /// Where the machine does not keep up with that many in the breaker's pause, some are under way when it is over.
        private static let storms = Sanitizer.isOn ? 20 : 100

        @Test("many storms at a time end as well", arguments: without)
        func storms(mode: Echoes.Mode) async throws {
            let ring = try Ring(mode)
            let seen = try await ring.run(mode.version) { left, _ in
                for number in 0..<Self.storms {
                    try await left.publish("n/\(number)", "storm \(number)")
                    ring.p.bus.emit("emitted", Payload("\(number)"))
                }
            }
            let counts = [ring.p.count, ring.q.count, seen.left.count, seen.right.count]
            print("ring, \(mode.testDescription): \(Self.storms) plain messages and emits: p, q, left, right \(counts)")
            // That they end is the promise: 40 copies of each, or, on a slow machine, those after a pause too.
            #expect(counts.allSatisfy { $0 <= Self.storms * 120 })
            #expect(ring.p.droppedNothing && ring.q.droppedNothing)
        }

        @Test("where only one of two brokers carries identities, storms end too")
        func mixed() async throws {
            let (left, right) = (try MosquittoBroker.start(), try MosquittoBroker.start())
            let stations = try (0..<2).map { _ in
                try Station(
                    [try .quick(left.url, .v5, name: "left"), try .quick(right.url, .v3_1_1, name: "right")],
                    routes: ["left", "right"].map { Route("{t...}", "{t...}", name: $0, broker: $0) }
                )
            }
            try await withPlainClient(left.url) { plain in
                try await withPlainClient(right.url) { other in
                    try await withRunning(stations[0], stations[1]) {
                        for number in 0..<20 {
                            try await plain.publish("a", "\(number)")
                            try await other.publish("b", "\(number)")
                        }
                        try await settled { stations[0].count + stations[1].count + plain.count + other.count }
                    }
                    let counts = stations.map(\.count) + [plain.count, other.count]
                    print("ring, left MQTT 5, right 3.1.1: 40 plain messages: p, q, left, right \(counts)")
                    #expect(counts.allSatisfy { $0 <= 1_600 })
                }
            }
        }
    }

    @Suite("hops")
    struct Hops {
        @Test("a message that passed as many bridges as may be is heard and not passed on")
        func limit() async throws {
            let (left, right) = (try MosquittoBroker.start(), try MosquittoBroker.start())
            let station = try Station(
                [try .quick(left.url, name: "left"), try .quick(right.url, name: "right")],
                routes: [
                    Route("a/{r...}", "a.{r...}", direction: .in, broker: "left"),
                    Route("a/{r...}", "a.{r...}", direction: .out, name: "out", broker: "right"),
                ]
            )
            try await withPlainClient(left.url, []) { plain in
                try await withPlainClient(right.url) { other in
                    try await withRunning(station) {
                        for hops in [7, 8, 100_000] {
                            let identity = [
                                ("bridgeid", "far/\(hops)"), ("bridgehops", "\(hops)"),
                            ]
                            try await plain.publish("a/\(hops)", "x", user: identity.map { .init($0, $1) })
                        }
                        try await station.hears(3)
                        try await other.hears(1)
                        try await settled { other.count }
                        #expect(other.messages.map(\.topic) == ["a/7"])
                        #expect(other.messages[0].properties[user: "bridgehops"] == "8")
                        #expect(other.messages[0].properties[user: "bridgeid"] == "far/7")
                        let report = try await station.tells("loop")
                        #expect(report["reason"]?.contains("8 bridges") == true)
                        #expect(report["broker"] == "right")
                    }
                }
            }
            #expect(station.events.map(\.origin.hops) == [7, 8, 1_000])
            #expect(station.events.map(\.origin.bus) == ["far", "far", "far"])
        }
    }
}
