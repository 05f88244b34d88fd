import Foundation
import MessageStore
import TestSupport
import Testing

@testable import MQTTBridge

extension BridgeTests {
    @Suite("typed events")
    struct Topics {
        private struct Reading: Codable, Hashable {
            var bar: Double
            var valves: [Bool] = []
        }

        private enum Site {
            static let pressure = Topic<Reading>("meter.{id}.pressure")
            static let level = Topic<Double>("tank.{id}.level")
            static let raw = Topic<[UInt8]>("raw.{id}")
        }

        private let routes = [
            Route("meters/{id}/pressure", Site.pressure), Route("tanks/{id}/level", Site.level),
            Route("raw/{id}", Site.raw),
        ]

        @Test(
            "messages of plain clients are values, and values are messages for them",
            arguments: ProtocolVersion.allCases
        )
        func bothWays(version: ProtocolVersion) async throws {
            let broker = try MosquittoBroker.start()
            let station = try Station([try .quick(broker.url, version)], routes: routes)
            let heard = Locked<[String]>([])
            station.bus.on(Site.pressure) { reading, event in
                let id = try event.id
                heard.withLock { $0.append("\(id) \(reading.bar) \(reading.valves)") }
            }
            station.bus.on(Site.level) { level, _ in heard.withLock { $0.append("\(level)") } }
            station.bus.on(Site.raw) { bytes, _ in heard.withLock { $0.append("\(bytes)") } }
            try await withPlainClient(broker.url) { plain in
                try await withRunning(station) {
                    try await plain.publish("meters/m.1/pressure", #"{"bar":6.5,"valves":[true]}"#)
                    try await plain.publish("tanks/t/level", "21.5")
                    try await plain.publish("raw/r", "\u{1}\u{2}")
                    try await until { heard.withLock { $0.count } == 3 }
                    #expect(heard.withLock { Set($0) } == ["m.1 6.5 [true]", "21.5", "[1, 2]"])
                    try station.bus.emit(Site.pressure(id: "a/b"), Reading(bar: 1))
                    try station.bus.emit(Site.pressure(id: "m2"), Reading(bar: 1))
                    try station.bus.emit(Site.level(id: "t"), 22.5)
                    try station.bus.emit(Site.raw(id: "r"), [0, 255])
                    #expect(throws: EncodingError.self) {
                        try station.bus.emit(Site.pressure(id: "m2"), Reading(bar: .nan))
                    }
                    try await plain.hears(6)
                }
                let messages = plain.messages.dropFirst(3)
                #expect(messages.map(\.topic) == ["meters/m2/pressure", "tanks/t/level", "raw/r"])
                #expect(
                    messages.map(\.payload) == [Array(#"{"bar":1,"valves":[]}"#.utf8), Array("22.5".utf8), [0, 255]]
                )
                let types = messages.map(\.properties.contentType)
                #expect(types == (version == .v5 ? ["application/json", "text/plain", nil] : [nil, nil, nil]))
            }
        }

        @Test("a payload that is no value is a dead letter at once, with the place of the mistake, and the rest flows")
        func deadLetter() async throws {
            let broker = try MosquittoBroker.start()
            let store = MemoryStore()
            let station = try Station([try .quick(broker.url)], routes: routes, store: store, hears: false)
            let heard = Locked<[Double]>([])
            try station.bus.on(Site.pressure, durable: "rule", delivery: .serial, .retry(5)) { reading, _ in
                heard.withLock { $0.append(reading.bar) }
            }
            try await withPlainClient(broker.url, []) { plain in
                try await withRunning(station) {
                    try await plain.publish("meters/m/pressure", #"{"bar":1,"valves":[]}"#)
                    try await plain.publish("meters/m/pressure", #"{"bar":2,"valves":[true,3]}"#)
                    try await plain.publish("meters/m/pressure", #"{"bar":3,"valves":[]}"#)
                    try await until { try store.letters.count == 1 && heard.withLock { $0 } == [1, 3] }
                    let letter = try #require(try store.letters.first)
                    #expect((letter.listener, letter.attempts) == ("rule", 1))
                    #expect(letter.error.hasPrefix("the payload is no Reading at valves.1: "))
                    try await until { try store.count(.inbound) == 0 }
                }
            }
        }

        @Test("JSON text for a number is read where its content type says so")
        func contentType() async throws {
            let text = Topic<String>("a")
            func value(_ payload: Payload, _ type: String?) throws -> String {
                try text.value(
                    of: Event(
                        id: EventID(source: "far", tag: "1"),
                        name: "a",
                        payload: payload,
                        origin: EventOrigin(bus: "far"),
                        attributes: EventAttributes(contentType: type)
                    )
                )
            }
            #expect(try value(#""on""#, "application/json; charset=utf-8") == "on")
            #expect(try value(#""on""#, nil) == #""on""#)
            #expect(try value("on", "text/plain") == "on")
            #expect(throws: PayloadDecodingError.self) { try value("on", "application/json") }
        }

        @Test("a durable route without a durable listener is noted once", arguments: [false, true])
        func withoutListener(hasListener: Bool) async throws {
            let broker = try MosquittoBroker.start()
            let log = LogRecorder()
            let station = try Station(
                [try .quick(broker.url)],
                routes: routes,
                store: MemoryStore(),
                hears: hasListener,
                logger: log.logger
            )
            try await withPlainClient(broker.url, []) { plain in
                try await withRunning(station) {
                    for number in 1...3 { try await plain.publish("tanks/\(number)/level", "1") }
                    try await station.hears(3)
                }
            }
            let notes = log.lines.filter { $0.message.contains("has no durable listener") }
            #expect(notes.count == (hasListener ? 0 : 1))
        }
    }
}
