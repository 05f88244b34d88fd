import AsyncEventBus
import MessageStore
import Mosquitto
import TestSupport
import Testing

@testable import MQTTBridge

extension BridgeTests {
    /// A client that publishes the identities of others before they do.
    @Suite("forged identities", .needsMosquitto)
    struct Forgeries {
        struct Mode: Sendable, CustomTestStringConvertible {
            let version: ProtocolVersion
            let metadata: Metadata
            let hasStore: Bool

            static let all = [
                Mode(version: .v5, metadata: .minimal, hasStore: false),
                Mode(version: .v5, metadata: .minimal, hasStore: true),
                Mode(version: .v5, metadata: .cloudevents, hasStore: false),
                Mode(version: .v3_1_1, metadata: .cloudevents, hasStore: true),
            ]

            var format: WireFormat { WireFormat(version: version, metadata: metadata) }
            var testDescription: String {
                "MQTT \(version.rawValue), \(metadata.rawValue)\(hasStore ? ", store" : "")"
            }

            func broker(_ url: String, name: String = "default") throws -> Broker {
                try .quick(url, version, name: name, metadata: metadata)
            }

            /// A message that says that it is an event.
            func message(_ topic: String, _ id: EventID, _ text: String) -> Message {
                let event = Event(
                    id: id,
                    name: "a.b",
                    payload: Payload(text),
                    origin: EventOrigin(bus: id.source)
                )
                return format.encode(event, topic: topic, qos: .atLeastOnce, retain: false)
            }
        }

        private let count = 50

        @Test("none of the real events is taken for a copy, now and after a restart", arguments: Mode.all)
        func inAdvance(mode: Mode) async throws {
            let broker = try MosquittoBroker.start()
            let store = mode.hasStore ? MemoryStore() : nil
            let routes = [Route("n/{x}", "n.{x}", direction: .in)]
            func station() throws -> Station { try Station([mode.broker(broker.url)], routes: routes, store: store) }
            func id(_ number: Int) -> EventID { EventID(source: "other-1", tag: "\(number)") }
            try await withPlainClient(broker.url, [], version: mode.version) { plain in
                let first = try station()
                try await withRunning(first) {
                    for number in 0..<count {
                        try await plain.publish(mode.message("n/\(number)", id(number), "forged"))
                    }
                    try await first.hears(count)
                    for number in 0..<count / 2 {
                        try await plain.publish(mode.message("n/\(number)", id(number), "real"))
                    }
                    try await first.hears(count + count / 2)
                    try await first.tells("forged")
                    #expect(first.events.count { $0.payload.text == "real" } == count / 2)
                }
                let second = mode.hasStore ? try station() : first
                guard mode.hasStore else { return }
                try await withRunning(second) {
                    for number in 0..<count {
                        try await plain.publish(mode.message("n/\(number)", id(number), "forged"))
                    }
                    for number in 0..<count { try await plain.publish(mode.message("n/\(number)", id(number), "real")) }
                    try await second.hears(count / 2)
                    try await settled { second.count }
                    // What was real before the restart, and what was forged, are known.
                    #expect(second.events.map { $0.payload.text } == Array(repeating: "real", count: count / 2))
                }
            }
        }

        @Test(
            "numbers that a process has not used yet can be published by others, and suppress nothing",
            arguments: Mode.all
        )
        func nextNumbers(mode: Mode) async throws {
            let broker = try MosquittoBroker.start()
            let routes = [Route("n/{x}", "n.{x}")]
            let (p, q) = (
                try Station([mode.broker(broker.url)], routes: routes),
                try Station([mode.broker(broker.url)], routes: routes, store: mode.hasStore ? MemoryStore() : nil)
            )
            try await withPlainClient(broker.url, [], version: mode.version) { plain in
                try await withRunning(p, q) {
                    // With the same content even: what comes is what it would have been.
                    for number in 0..<count {
                        let id = EventID(source: p.bus.source, tag: "\(number)")
                        try await plain.publish(mode.message("n/\(number)", id, "\(number)"))
                    }
                    try await p.hears(count)
                    try await q.hears(count)
                    try await p.tells("forged")
                    #expect(p.events.allSatisfy { $0.id.source == p.bus.source && $0.id.isTagOurs })
                    for number in 0..<count { p.bus.emit(EventName(spelled: "n.\(number)"), "\(number)") }
                    try await p.hears(2 * count)
                    try await q.hears(2 * count)
                    try await settled { p.count + q.count }
                    #expect((p.count, q.count) == (2 * count, 2 * count))
                    let own = q.events.suffix(count)
                    #expect(own.allSatisfy { $0.id.source == p.bus.source })
                    #expect(own.map(\.id) == p.events.suffix(count).map(\.id), "the same identity in both processes")
                }
            }
        }

        @Test(
            "what was published in advance at one broker does not keep the real event from another",
            arguments: Mode.all
        )
        func acrossBrokers(mode: Mode) async throws {
            let (left, right) = (try MosquittoBroker.start(), try MosquittoBroker.start())
            let routes = ["left", "right"].map { Route("n/{x}", "n.{x}", name: $0, broker: $0) }
            let station = try Station(
                [mode.broker(left.url, name: "left"), mode.broker(right.url, name: "right")],
                routes: routes,
                store: mode.hasStore ? MemoryStore() : nil
            )
            func id(_ number: Int) -> EventID { EventID(source: "other-1", tag: "\(number)") }
            try await withPlainClient(left.url, [], version: mode.version) { near in
                try await withPlainClient(right.url, ["n/#"], version: mode.version) { far in
                    try await withRunning(station) {
                        for number in 0..<count {
                            try await far.publish(mode.message("n/\(number)", id(number), "forged"))
                        }
                        try await station.hears(count)
                        for number in 0..<count {
                            try await near.publish(mode.message("n/\(number)", id(number), "real"))
                        }
                        try await station.hears(2 * count)
                        try await far.hears(2 * count)
                        let payloads = far.messages.map { mode.format.decode($0).payload }
                        #expect(payloads.count { $0 == Array("real".utf8) } == count)
                    }
                }
            }
        }

        @Test("with metadata: none, what messages say about themselves is neither believed nor passed on")
        func none() async throws {
            let (left, right) = (try MosquittoBroker.start(), try MosquittoBroker.start())
            let station = try Station(
                [.quick(left.url, name: "left", metadata: .none), .quick(right.url, name: "right")],
                routes: [
                    Route("n/{x}", "n.{x}", direction: .in, name: "in", broker: "left"),
                    Route("n/{x}", "n.{x}", direction: .out, name: "out", broker: "right"),
                ]
            )
            try await withPlainClient(left.url, []) { near in
                try await withPlainClient(right.url) { far in
                    try await withRunning(station) {
                        let user: [MessageProperties.UserProperty] = [
                            .init(PropertyName.id, "other-1/7"), .init(PropertyName.hops, "1000"),
                            .init("mine", "kept"),
                        ]
                        for _ in 0..<3 { try await near.publish("n/x", "same", user: user) }
                        try await station.hears(3)
                        try await far.hears(3)
                    }
                    #expect(station.events.allSatisfy { $0.id.source == station.bus.source && $0.origin.hops == 0 })
                    #expect(Set(station.events.map(\.id)).count == 3)
                    for message in far.messages {
                        #expect(message.properties.userProperties.filter { $0.name == PropertyName.id }.count == 1)
                        #expect(message.properties[user: PropertyName.id]?.hasPrefix(station.bus.source) == true)
                        #expect(message.properties[user: "mine"] == "kept")
                    }
                }
            }
        }
    }
}
