import AsyncEventBus
import Mosquitto
import TestSupport
import Testing

@testable import MQTTBridge

extension BridgeTests {
    @Suite("routes")
    struct Routes {
        private let demo = [
            Route("home/{room}/temperature", "climate.{room}.temperature"),
            Route("home/{room}/light/set", "light.{room}.set", direction: .out, qos: .exactlyOnce, retain: true),
            Route("home/{room}/light/state", "light.{room}.state", direction: .in, qos: .atMostOnce),
        ]

        @Test("one message in is one event, one emit out is one message", arguments: ProtocolVersion.allCases)
        func inAndOut(version: ProtocolVersion) async throws {
            let broker = try MosquittoBroker.start()
            let station = try Station([try .quick(broker.url, version)], routes: demo)
            try await withPlainClient(broker.url) { plain in
                try await withRunning(station) {
                    try await plain.publish("home/kitchen/temperature", "21.5")
                    try await plain.publish("home/kitchen/light/state", "on", qos: .exactlyOnce)
                    try await plain.publish("elsewhere", "nothing")
                    try await station.hears(2)
                    station.bus.emit("climate.hall.temperature", "20")
                    station.bus.emit("light.hall.set", Payload([0, 0xFF, 0x0A, 0x80]))
                    station.bus.emit("light.hall.state", "only in")
                    try await plain.hears(5)
                    try await settled { plain.count + station.count }
                }
                let events = station.events
                #expect(events.prefix(2).map(\.name) == ["climate.kitchen.temperature", "light.kitchen.state"])
                #expect(events.prefix(2).map(\.payload) == ["21.5", "on"])
                let details = try #require(events[0].mqtt)
                #expect(details.topic == "home/kitchen/temperature")
                #expect(details.broker == "default")
                #expect(details.route == demo[0].name)
                #expect(details.qos == .atLeastOnce)
                #expect(!details.isRetained)
                #expect(events[1].mqtt?.qos == .atMostOnce)
                #expect(events[0].origin.hops == 0)
                #expect(!events[0].origin.isReplayed)
                #expect(events.count == 5)
                #expect(events[2].mqtt == nil)

                let published = plain.messages.dropFirst(3)
                #expect(published.map(\.topic) == ["home/hall/temperature", "home/hall/light/set"])
                #expect(published.map(\.qos) == [.atLeastOnce, .exactlyOnce])
                #expect(published.last?.payload == [0, 0xFF, 0x0A, 0x80])
                #expect(published.allSatisfy { ($0.properties[user: "bridgeid"] != nil) == (version == .v5) })
            }
            try await withPlainClient(broker.url) { late in
                try await late.hears(1)
                try await settled { late.count }
                #expect(late.messages.map(\.topic) == ["home/hall/light/set"])
                #expect(late.messages[0].isRetained)
            }
        }

        @Test("what the broker had kept comes marked as replay", arguments: ProtocolVersion.allCases)
        func replay(version: ProtocolVersion) async throws {
            let broker = try MosquittoBroker.start()
            try await withPlainClient(broker.url) { plain in
                try await plain.publish("state/a", "kept", retain: true)
                let station = try Station([try .quick(broker.url, version)])
                try await withRunning(station) {
                    try await station.hears(1)
                    try await plain.publish("state/b", "live", retain: true)
                    try await station.hears(2)
                }
                #expect(station.events.map(\.origin.isReplayed) == [true, false])
                #expect(station.events.map { $0.mqtt?.isRetained } == [true, false])
                #expect(station.texts("state.a") == ["kept"])
            }
        }

        @Test("overlapping filters deliver once for each route, at its QoS", arguments: ProtocolVersion.allCases)
        func overlapping(version: ProtocolVersion) async throws {
            let broker = try MosquittoBroker.start()
            let station = try Station(
                [try .quick(broker.url, version)],
                routes: [
                    Route("home/{room}/t", "one.{room}", direction: .in, qos: .atMostOnce),
                    Route("home/kitchen/{rest...}", "two.{rest...}", direction: .in, qos: .exactlyOnce),
                    Route("{h}/{room}/t", "three.{h}.{room}", direction: .in, qos: .atLeastOnce),
                ]
            )
            try await withPlainClient(broker.url, []) { plain in
                try await plain.publish("home/kitchen/t", "kept", qos: .exactlyOnce, retain: true)
                try await withRunning(station) {
                    try await station.hears(3)
                    for number in 0..<100 { try await plain.publish("home/kitchen/t", "\(number)", qos: .exactlyOnce) }
                    try await plain.publish("home/hall/t", "hall")
                    try await plain.publish("other/kitchen/x", "nobody's")
                    try await station.hears(305)
                    try await settled { station.count }
                }
            }
            let expected = ["kept"] + (0..<100).map(String.init)
            #expect(station.texts("one.kitchen") == expected)
            #expect(station.texts("two.t") == expected)
            #expect(station.texts("three.home.kitchen") == expected)
            #expect(station.texts("one.hall") == ["hall"])
            #expect(station.count == 305)
        }

        @Test("$SYS comes only by a route that names it", arguments: ProtocolVersion.allCases)
        func system(version: ProtocolVersion) async throws {
            let broker = try MosquittoBroker.start(configuration: "allow_anonymous true\nsys_interval 1")
            let station = try Station(
                [try .quick(broker.url, version)],
                routes: [.everything(), Route("$SYS/broker/version", "version", direction: .in)]
            )
            try await withRunning(station) {
                try await station.hears(1)
                try await settled { station.count }
            }
            #expect(Set(station.events.map(\.name)) == ["version"])
        }
    }
}
