import TestSupport
import Testing

@testable import MQTTBridge

extension BridgeTests {
    @Suite("state of typed events")
    struct TopicStates {
        private let pumps = Topic<String>("pump.{id}.state")

        @Test(
            "retained messages are values, also when they come again, and empty ones clear them",
            arguments: ProtocolVersion.allCases
        )
        func retained(version: ProtocolVersion) async throws {
            let broker = try MosquittoBroker.start()
            let proxy = try TCPProxy(to: broker.port)
            defer { proxy.stop() }
            let station = try Station(
                [try .quick("mqtt://127.0.0.1:\(proxy.port)", version)],
                routes: [Route("pumps/{id}", pumps, direction: .in)]
            )
            let state = station.bus.state(pumps)
            let changes = Locked<[String]>([])
            let reader = Task {
                for await (id, value) in state.updates() {
                    changes.withLock { $0.append("\(id) \(value ?? "cleared")") }
                }
            }
            try await withPlainClient(broker.url, []) { plain in
                for id in ["a", "b"] { try await plain.publish("pumps/\(id)", "on", retain: true) }
                try await withRunning(station) {
                    try await until { state.values == ["a": "on", "b": "on"] }
                    try await until { changes.withLock { $0.count } == 2 }
                    proxy.resetConnections()
                    // Else the broker, which keeps no session for it, may tell nobody that a value is cleared.
                    try await station.tells("subscribed", 2)
                    try await plain.publish("pumps/a", "", retain: true)
                    try await plain.publish("pumps/c", "off", retain: true)
                    try await until { state.values == ["b": "on", "c": "off"] }
                    try await until { changes.withLock { $0.count } == 4 }
                }
            }
            reader.cancel()
            // What the broker sent again after the reconnection changed nothing.
            #expect(changes.withLock { $0.suffix(2).sorted() } == ["a cleared", "c off"])
        }
    }
}
