import AsyncEventBus
import Mosquitto
import TestSupport
import Testing

@testable import MQTTBridge

extension BridgeTests {
    @Suite("echoes")
    struct Echoes {
        struct Mode: Sendable, CustomTestStringConvertible {
            let version: ProtocolVersion
            let metadata: Metadata

            static let all = ProtocolVersion.allCases.flatMap { version in
                Metadata.allCases.map { Mode(version: version, metadata: $0) }
            }

            var testDescription: String { "MQTT \(version.rawValue), \(metadata.rawValue)" }
        }

        @Test("listeners here hear a local emit exactly once, equal ones and empty ones too", arguments: Mode.all)
        func once(mode: Mode) async throws {
            let broker = try MosquittoBroker.start()
            let station = try Station([try .quick(broker.url, mode.version, metadata: mode.metadata)])
            try await withPlainClient(broker.url) { plain in
                try await withRunning(station) {
                    for _ in 0..<1_000 { station.bus.emit("light.set", "on") }
                    for number in 0..<200 { station.bus.emit(EventName(spelled: "light.\(number)"), "\(number)") }
                    station.bus.emit("empty")
                    try await plain.hears(1_201)
                    try await settled { station.count + plain.count }
                }
                #expect(plain.count == 1_201)
            }
            #expect(station.count == 1_201)
            #expect(station.events.allSatisfy { $0.mqtt == nil })
            #expect(station.droppedNothing)
            #expect(station.reports("loop").isEmpty)
        }

        @Test("of equal messages of ours and of another client, the other's are heard", arguments: Mode.all)
        func others(mode: Mode) async throws {
            let broker = try MosquittoBroker.start()
            let station = try Station([try .quick(broker.url, mode.version, metadata: mode.metadata)])
            try await withPlainClient(broker.url, [], version: mode.version) { plain in
                try await withRunning(station) {
                    for _ in 0..<200 {
                        station.bus.emit("light.set", "on")
                        try await plain.publish("light/set", "on")
                    }
                    try await station.hears(400)
                    try await settled { station.count }
                }
            }
            #expect(station.count == 400)
            #expect(station.events.count { $0.mqtt != nil } == 200)
        }

        @Test(
            "retained state that is replayed is not taken for the echo of an equal publish",
            arguments: ProtocolVersion.allCases
        )
        func retainedState(version: ProtocolVersion) async throws {
            let broker = try MosquittoBroker.start()
            try await withPlainClient(broker.url, []) { plain in
                try await plain.publish("state", "on", retain: true)
            }
            // Not retained itself: what is on its way to be the state would make the replayed one an older one.
            let route = Route("state", "state", qos: .atLeastOnce)
            let station = try Station([try .quick(broker.url, version)], routes: [route])
            // Waits until the broker is there, and goes out right after SUBSCRIBE.
            station.bus.emit("state", "on")
            try await withRunning(station) {
                try await station.hears(2)
                try await settled { station.count }
            }
            #expect(station.events.count { $0.mqtt == nil } == 1)
            #expect(station.events.filter { $0.mqtt != nil }.map(\.origin.isReplayed) == [true])
        }

        @Test("what waited for the broker longer than an echo is awaited still has none")
        func late() async throws {
            let broker = try MosquittoBroker.start()
            broker.stop()
            let ahead = Locked(Duration.zero)
            let system = Timing.system
            let timing = Timing(
                now: { system.now() + ahead.withLock { $0 } },
                makeQueue: system.makeQueue,
                chance: system.chance
            )
            let station = try Station([try .quick(broker.url, .v3_1_1)], timing: timing)
            try await withRunning(station, ready: false) {
                for number in 0..<20 { station.bus.emit("a", "\(number)") }
                ahead.withLock { $0 = .seconds(11) }
                try broker.restart()
                let bridge = station.bridge
                try await withTimeLimit(.seconds(30)) { try await bridge.becomeReady() }
                let receipt = station.bus.tracked.emit("b", "last")
                try await withTimeLimit(.seconds(30)) { try await receipt.published() }
                try await settled { station.count }
            }
            #expect(station.count == 21)
        }
    }
}
