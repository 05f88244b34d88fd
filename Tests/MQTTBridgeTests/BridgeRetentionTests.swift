import AsyncEventBus
import MessageStore
import Mosquitto
import TestSupport
import Testing

@testable import MQTTBridge

extension BridgeTests {
    /// Routes with `retain: as-received`.
    @Suite("as received", .needsMosquitto)
    struct AsReceived {
        typealias Mode = States.Mode

        /// From `left` to `right`.
        private func routes(_ mode: Mode) -> [Route] {
            [
                Route("home/{x}", "home.{x}", direction: .in, name: "in", broker: "left", durability: mode.durability),
                Route(
                    "home/{x}",
                    "home.{x}",
                    direction: .out,
                    name: "out",
                    broker: "right",
                    retain: .asReceived,
                    durability: mode.durability
                ),
            ]
        }

        private func keeps(_ text: String?, _ topic: String, _ url: String) async throws -> Bool {
            try await eventually { try await kept(topic, url) == text }
        }

        @Test(
            "what was to be kept is kept at the other side, its deletion as well, and nothing else",
            arguments: Mode.asReceived
        )
        func flags(mode: Mode) async throws {
            let (left, right) = (try MosquittoBroker.start(), try MosquittoBroker.start())
            let station = try Station(
                [mode.broker(left.url, "left"), mode.broker(right.url, "right")],
                routes: routes(mode),
                store: mode.hasStore ? MemoryStore() : nil
            )
            try await withPlainClient(left.url, []) { near in
                try await near.publish("home/before", "kept", retain: true)
                try await withPlainClient(right.url) { far in
                    try await withRunning(station) {
                        try await far.hears(1)
                        try await near.publish("home/live", "kept", retain: true)
                        try await near.publish("home/event", "passing")
                        try await near.publish("home/before", "passing")
                        station.bus.emit("home.own", "emitted")
                        try await far.hears(5)
                        for topic in ["live", "before"] { #expect(try await keeps("kept", "home/\(topic)", right.url)) }
                        for topic in ["event", "own"] { #expect(try await kept("home/\(topic)", right.url) == nil) }
                        try await near.publish("home/live", "", retain: true)
                        try await near.publish("home/before", "")
                        try await far.hears(7)
                        #expect(try await keeps(nil, "home/live", right.url))
                        #expect(try await kept("home/before", right.url) == "kept")
                    }
                }
            }
            #expect(
                station.events.filter { $0.mqtt != nil }.map(\.origin.isReplayed) == [true]
                    + Array(repeating: false, count: 5)
            )
            #expect(station.events.compactMap { $0.mqtt?.isRetained } == [true, true, false, false, true, false])
            #expect(station.droppedNothing)
        }

        @Test(
            "a live state that repeats the last one is an event, and kept state that comes again is none",
            arguments: Mode.asReceived
        )
        func repeated(mode: Mode) async throws {
            let (left, right) = (try MosquittoBroker.start(), try MosquittoBroker.start())
            let proxy = try TCPProxy(to: left.port)
            let station = try Station(
                [mode.broker("mqtt://127.0.0.1:\(proxy.port)", "left"), mode.broker(right.url, "right")],
                routes: routes(mode),
                store: mode.hasStore ? MemoryStore() : nil
            )
            try await withPlainClient(left.url, []) { near in
                try await near.publish("home/a", "on", retain: true)
                try await withRunning(station) {
                    try await station.hears(1)
                    var count = 1
                    for round in 1...3 {
                        for _ in 1...2 { try await near.publish("home/a", "on", retain: true) }
                        try await near.publish("home/b", "on", retain: true)
                        // No state: what the broker has kept is known all the same.
                        try await near.publish("home/a", "blink")
                        count += 4
                        try await station.hears(count)
                        let ready = station.reports("subscribed").count
                        // What is not acknowledged comes again, which is another matter.
                        try await settled { station.count }
                        proxy.resetConnections()
                        try await station.tells("disconnected", round)
                        try await station.tells("subscribed", ready + 1)
                    }
                    try await settled { station.count }
                    #expect(station.count == count)
                }
            }
            #expect(station.events.map(\.origin.isReplayed) == [true] + Array(repeating: false, count: 12))
        }

        @Test("of MQTT 3.1.1, which clears the flag of live messages, kept state is kept at the other side")
        func old() async throws {
            let mode = Mode(version: .v3_1_1, keepsSession: false, hasStore: false)
            let (left, right) = (try MosquittoBroker.start(), try MosquittoBroker.start())
            let station = try Station(
                [mode.broker(left.url, "left"), .quick(right.url, name: "right")],
                routes: routes(mode)
            )
            try await withPlainClient(left.url, []) { near in
                try await near.publish("home/before", "kept", retain: true)
                try await withPlainClient(right.url) { far in
                    try await withRunning(station) {
                        try await far.hears(1)
                        try await near.publish("home/live", "kept", retain: true)
                        try await far.hears(2)
                    }
                }
            }
            #expect(try await keeps("kept", "home/before", right.url))
            #expect(try await kept("home/live", right.url) == nil)
        }

        @Test("what is not to be kept is no state on its way: one that crosses it is passed on")
        func crossing() async throws {
            let left = try MosquittoBroker.start()
            let right = try FakeBroker { peer in
                try peer.serve { packet in
                    guard packet.type == .publish else { return nil }
                    // Ours is not acknowledged.
                    return [.publish(topic: "home/a", payload: Array("state".utf8), qos: 1, retain: true)]
                }
            }
            let mode = Mode(version: .v5, keepsSession: false, hasStore: false, retain: .asReceived)
            let station = try Station(
                [mode.broker(left.url, "left"), mode.broker(right.url, "right")],
                routes: ["left", "right"].map { mode.route($0) }
            )
            try await withPlainClient(left.url, []) { near in
                try await withRunning(station) {
                    try await near.publish("home/a", "event")
                    #expect(try await keeps("state", "home/a", left.url))
                }
            }
            #expect(station.events.map(\.origin.isReplayed) == [false, false])
        }

        @Test("of a broker that marks nothing, the flag says that a message was kept")
        func unmarked() async throws {
            let left = try FakeBroker { peer in
                try peer.serve { packet in
                    switch packet.type {
                    case .connect: return [.connack(properties: [.subscriptionIDsAvailable(false)])]
                    case .subscribe:
                        let id = try packet.subscribe().packetID
                        return [
                            .suback(packetID: id, reasons: [1]),
                            .publish(topic: "home/a", payload: Array("kept".utf8), retain: true),
                        ]
                    default: return nil
                    }
                }
            }
            let right = try MosquittoBroker.start()
            let mode = Mode(version: .v5, keepsSession: false, hasStore: false)
            let station = try Station(
                [mode.broker(left.url, "left"), mode.broker(right.url, "right")],
                routes: routes(mode)
            )
            try await withRunning(station) {
                try await station.hears(1)
                try await station.tells("degraded")
                #expect(try await keeps("kept", "home/a", right.url))
            }
            #expect(station.events.map(\.origin.isReplayed) == [true])
        }
    }
}
