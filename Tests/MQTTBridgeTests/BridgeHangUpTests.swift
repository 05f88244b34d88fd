import AsyncEventBus
import MessageStore
import Mosquitto
import TestSupport
import Testing

@testable import MQTTBridge

extension BridgeTests {
    @Suite("a broker that hangs up at a message")
    struct HangUp {
        @Test(
            "the message is a dead letter, or told as refused, and all else passes",
            arguments: ProtocolVersion.allCases,
            [true, false]
        )
        func culprit(version: ProtocolVersion, isDurable: Bool) async throws {
            let broker = try FakeBroker { peer in
                try peer.serve { packet in
                    guard packet.type == .publish, try packet.publish().payload.count >= 5_000 else { return nil }
                    peer.close(reset: true)
                    return []
                }
            }
            let store = isDurable ? MemoryStore() : nil
            let route = Route("o/{n}", "o.{n}", direction: .out)
            let station = try Station(
                [try .quick("mqtt://127.0.0.1:\(broker.port)", version)],
                routes: [route],
                store: store
            )
            try await withRunning(station) {
                let culprit = station.bus.tracked.emit("o.large", Payload(String(repeating: "x", count: 5_000)))
                let others = (0..<20).map { station.bus.tracked.emit(EventName(spelled: "o.\($0)"), "1") }
                for receipt in others { try await withTimeLimit(.seconds(30)) { try await receipt.published() } }
                let error = await #expect(throws: ClientError.self) {
                    try await withTimeLimit(.seconds(30)) { try await culprit.published() }
                }
                #expect(error?.code == .closedByBroker)
                let report = try await station.tells(isDurable ? "deadletter" : "refused")
                #expect(report["topic"] == "o/large")
                #expect(report["reason"]?.contains("5000 bytes, QoS 1") == true)
                guard let store else { return }
                try await until { try store.count(.outbound) == 0 }
                let letters = try store.deadLetters(.all, limit: 10)
                #expect(letters.map(\.topic) == ["o/large"])
                #expect(letters[0].error.contains("max_packet_size"))
            }
        }
    }
}
