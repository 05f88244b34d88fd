import AsyncEventBus
import Mosquitto
import TestSupport
import Testing

@testable import MQTTBridge

extension BridgeTests {
    /// Issue 2, section 6.2 and F19.
    @Suite("two buses on one broker")
    struct Pairs {
        private let routes = [
            Route("home/{room}/t", "climate.{room}", name: "rooms"),
            Route("home/{rest...}", "home.{rest...}", name: "all"),
        ]

        @Test("1,000 emits in one are exactly 1,000 events in each, by each route", arguments: Echoes.Mode.all)
        func thousand(mode: Echoes.Mode) async throws {
            let broker = try MosquittoBroker.start()
            func station() throws -> Station {
                try Station([try .quick(broker.url, mode.version, metadata: mode.metadata)], routes: routes)
            }
            let (near, far) = (try station(), try station())
            try await withPlainClient(broker.url) { plain in
                try await withRunning(near, far) {
                    for number in 0..<1_000 { near.bus.emit("climate.kitchen", "\(number)") }
                    try await far.hears(2_000)
                    try await settled { near.count + far.count + plain.count }
                }
                #expect(plain.count == 1_000)
            }
            let expected = (0..<1_000).map(String.init)
            #expect(near.texts("climate.kitchen") == expected)
            #expect(near.count == 1_000)
            #expect(far.texts("climate.kitchen") == expected)
            #expect(far.texts("home.kitchen.t") == expected)
            #expect(far.count == 2_000)
            #expect(near.droppedNothing, "\(near.reports)")
            #expect(far.droppedNothing, "\(far.reports)")
        }

        @Test("emits of both at the same time are heard once by each", arguments: ProtocolVersion.allCases)
        func crossing(version: ProtocolVersion) async throws {
            let broker = try MosquittoBroker.start()
            let stations = try (0..<2).map { _ in try Station([try .quick(broker.url, version)]) }
            try await withRunning(stations[0], stations[1]) {
                for number in 0..<1_000 {
                    for station in stations { station.bus.emit("x", "\(station === stations[0] ? "p" : "q")\(number)") }
                }
                for station in stations { try await station.hears(2_000) }
                try await settled { stations[0].count + stations[1].count }
            }
            let expected = Set((0..<1_000).flatMap { ["p\($0)", "q\($0)"] })
            for station in stations {
                #expect(station.count == 2_000)
                #expect(Set(station.texts("x")) == expected)
                #expect(station.droppedNothing)
            }
        }

        @Test("two bridges on one bus with brokers of one name pass on to each other's broker")
        func sameName() async throws {
            let (first, second) = (try MosquittoBroker.start(), try MosquittoBroker.start())
            let bus = EventBus()
            let stations = try [first, second].map { try Station([try .quick($0.url)], bus: bus, hears: false) }
            try await withPlainClient(first.url) { left in
                try await withPlainClient(second.url) { right in
                    try await withRunning(stations[0], stations[1]) {
                        try await left.publish("a", "1")
                        try await right.hears(1)
                        try await right.publish("b", "2")
                        try await left.hears(2)
                        bus.emit("c", "3")
                        try await left.hears(3)
                        try await right.hears(3)
                        try await settled { left.count + right.count + stations[0].count }
                    }
                    #expect(left.texts == ["1", "2", "3"])
                    #expect(right.texts == ["1", "2", "3"])
                    #expect(stations[0].events.map(\.name.text).sorted() == ["a", "b", "c"])
                }
            }
        }
    }
}
