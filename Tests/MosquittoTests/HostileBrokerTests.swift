import Foundation
import TestSupport
import Testing

@testable import Mosquitto

/// What a packet holds that must not harm: with and without buffers, see `Recorder`; through TLS in `TLSServerTests`.
@Suite("a broker that means harm", .serialized)
struct HostileBrokerTests {
    struct Attack: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let bytes: [UInt8]
        var isConnack: Bool { bytes[0] == 0x20 }

        init(_ name: String, _ bytes: [UInt8]) {
            (testDescription, self.bytes) = (name, bytes)
        }
    }

    /// Identifier 0x7F, which MQTT 5 does not know, where it may stand: alone, behind a known one, and a long way.
    static let attacks: [Attack] = [
        Attack("CONNACK", [0x20, 0x05, 0x00, 0x00, 0x02, 0x7F, 0x00]),
        Attack("CONNACK, behind a known one", [0x20, 0x08, 0x00, 0x00, 0x05, 0x21, 0x00, 0x0A, 0x7F, 0x00]),
        Attack("PUBLISH at QoS 0", [0x30, 0x06, 0x00, 0x01, 0x61, 0x02, 0x7F, 0x00]),
        Attack("PUBLISH at QoS 1", [0x32, 0x08, 0x00, 0x01, 0x61, 0x00, 0x07, 0x02, 0x7F, 0x00]),
        Attack("PUBLISH at QoS 2", [0x34, 0x08, 0x00, 0x01, 0x61, 0x00, 0x07, 0x02, 0x7F, 0x00]),
        Attack("PUBLISH, identifier 0", [0x30, 0x06, 0x00, 0x01, 0x61, 0x02, 0x00, 0x00]),
        Attack("PUBLISH, identifier of two bytes", [0x30, 0x07, 0x00, 0x01, 0x61, 0x03, 0xFF, 0x01, 0x00]),
        Attack(
            "PUBLISH, a property that ends in the payload, where an unknown one stands",
            [0x30, 0x0B, 0x00, 0x01, 0x61, 0x03, 0x02, 0x00, 0x00, 0x00, 0x00, 0x7F, 0x00]
        ),
        Attack("PUBACK", [0x40, 0x06, 0x00, 0x01, 0x00, 0x02, 0x7F, 0x00]),
        Attack("PUBREC", [0x50, 0x06, 0x00, 0x01, 0x00, 0x02, 0x7F, 0x00]),
        Attack("PUBREL", [0x62, 0x06, 0x00, 0x01, 0x00, 0x02, 0x7F, 0x00]),
        Attack("PUBCOMP", [0x70, 0x06, 0x00, 0x01, 0x00, 0x02, 0x7F, 0x00]),
        Attack("SUBACK", [0x90, 0x06, 0x00, 0x01, 0x02, 0x7F, 0x00, 0x00]),
        Attack("UNSUBACK", [0xB0, 0x06, 0x00, 0x01, 0x02, 0x7F, 0x00, 0x00]),
        Attack("DISCONNECT", [0xE0, 0x04, 0x00, 0x02, 0x7F, 0x00]),
        Attack("AUTH", [0xF0, 0x04, 0x18, 0x02, 0x7F, 0x00]),
        Attack(
            "type 0 in front, so that the next one is read out of step",
            [0x00, 0x30, 0x04, 0x00, 0x01, 0x61, 0x00]
        ),
        Attack("type 0 with flags", [0x0F, 0x00]),
    ]

    enum Pace: CaseIterable { case atOnce, inChunks }

    @Test(
        "what would end the process ends the connection, and the next one works",
        .needsPacketGate,
        arguments: attacks,
        Pace.allCases
    )
    func survives(attack: Attack, pace: Pace) async throws {
        let broker = try FakeBroker { peer in
            if attack.isConnack, peer.index == 0 { try peer.expectConnect() } else { try peer.accept() }
            if peer.index == 0 {
                for chunk in pace == .atOnce ? [attack.bytes] : attack.bytes.map({ [$0] }) { try peer.sendRaw(chunk) }
            } else {
                try peer.send(.publish(topic: "a", qos: 1, properties: [.userProperty("name", "value")]))
            }
            try peer.serve()
        }
        try await withClient(to: broker.url) { client, recorder in
            let messages = try await recorder.received(1)
            #expect(messages[0].properties.userProperties == [.init("name", "value")])
            let errors = attack.isConnack ? recorder.retries.map(\.error) : recorder.disconnections.compactMap(\.self)
            #expect(errors.map(\.code) == [.protocolError])
            #expect(errors[0].detail.contains("the broker sent a p"), "\(errors[0])")
            #expect(try await client.publish(Message(topic: "b", qos: .exactlyOnce)) == .success)
        }
    }

    @Test("a broker that repeats it is left alone for a while", .needsPacketGate)
    func pace() async throws {
        let broker = try FakeBroker { peer in
            try peer.accept()
            try peer.sendRaw([0x30, 0x06, 0x00, 0x01, 0x61, 0x02, 0x7F, 0x00])
            try peer.serve()
        }
        try await withClient(to: broker.url) { _, recorder in
            try await recorder.wait(for: "two pauses") { $0.retries.count >= 2 }
            #expect(recorder.retries[1].pause >= .seconds(10))
            #expect(recorder.retries[1].error.description.contains("a property that MQTT 5 does not know (127)"))
            #expect(broker.connections == 2)
        }
    }

    // MARK: Floods

    static let floods: [Attack] = [
        Attack("PINGRESP", [0xD0, 0x00]),
        Attack("PUBACK", [0x40, 0x02, 0x00, 0x63]),
        Attack("SUBACK", [0x90, 0x04, 0x00, 0x63, 0x00, 0x00]),
    ]

    @Test("a flood of small packets keeps nothing from being written, nor the client from ending", arguments: floods)
    func flood(_ attack: Attack) async throws {
        let bytes = (0..<10_000).flatMap { _ in attack.bytes }
        let broker = try FakeBroker { peer in
            try peer.accept()
            Thread { while (try? peer.sendRaw(bytes)) != nil {} }.start()
            try peer.serve()
        }
        let clock = ContinuousClock()
        var end = clock.now
        try await withClient(to: broker.url) { client, recorder in
            try await recorder.connected()
            // Answers would stand in line behind what the socket holds.
            for _ in 0..<20 {
                let count = broker.count(.publish)
                try client.enqueue(Message(topic: "b"))
                try await recorder.wait(for: "one more") { _ in broker.count(.publish) > count }
            }
            #expect(recorder.connections.count == 1)
            end = clock.now
        }
        #expect(end.duration(to: clock.now) < .seconds(2).stretched)
    }
}
