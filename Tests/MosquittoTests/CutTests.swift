import TestSupport
import Testing

@testable import Mosquitto

/// F6: the connection is cut after byte n of a packet, for every n of every kind of packet.
@Suite("cut in the middle of a packet", .serialized)
struct CutTests {
    enum Kind: String, CaseIterable, Sendable {
        case connack, suback, publish, puback, pubrec, pubcomp, unsuback, pingresp, disconnect
    }

    private static let message = FakeBroker.ServerPacket.publish(
        topic: "in/ä",
        payload: Array("payload".utf8),
        qos: 1,
        packetID: 9,
        properties: [.contentType("text/plain"), .userProperty("a", "b")]
    )

    @Test(
        "it connects again, subscribes again, and nothing is lost at QoS 1",
        arguments: Kind.allCases,
        ProtocolVersion.allCases
    )
    func cut(kind: Kind, version: ProtocolVersion) async throws {
        var position = 0
        while try await survives(cutAt: position, of: kind, version) { position += 1 }
        #expect(position >= (kind == .disconnect && version == .v3_1_1 ? 1 : 2))
    }

    /// Returns false when the packet is not that long.
    private func survives(cutAt position: Int, of kind: Kind, _ version: ProtocolVersion) async throws -> Bool {
        let isOver = Locked(false)
        let broker = try FakeBroker { peer in
            guard peer.index == 0 else { return try Self.serve(peer) }
            try Self.serve(peer) { packet in
                let bytes = packet.encode(peer.version)
                if position >= bytes.count { isOver.withLock { $0 = true } }
                try peer.sendRaw(Array(bytes.prefix(position)))
                peer.close(reset: position.isMultiple(of: 2))
            } at: {
                kind
            }
        }
        let options = ClientOptions.quick(version).with { $0.session.expiry = .seconds(60) }
        let qos: QoS = kind == .pubrec || kind == .pubcomp ? .exactlyOnce : .atLeastOnce
        try await withClient(
            to: broker.url,
            options: options,
            subscriptions: [SubscriptionRequest("in/#")]
        ) { client, recorder in
            let result = try await client.publish(Message(topic: "out", payload: Array("x".utf8), qos: qos))
            #expect(result == .success)
            try await client.unsubscribe(["other"])
            try await recorder.received(1)
            try await recorder.wait(for: "a second connection") { _ in broker.connections >= 2 }
            try await recorder.wait(for: "subscribed on the second connection") { _ in
                broker.peers.dropFirst().contains { $0.recorded.contains { $0.type == .subscribe } }
            }
            #expect(recorder.messages.allSatisfy { $0.topic == "in/ä" && $0.text == "payload" })
        }
        return !isOver.withLock { $0 }
    }

    /// A willing broker that delivers one message after SUBACK, pings and, at the place asked for, calls `cut`.
    private static func serve(
        _ peer: FakeBroker.Peer,
        cut: (FakeBroker.ServerPacket) throws -> Void = { _ in },
        at kind: () -> Kind? = { nil }
    ) throws {
        let kind = kind()
        var isCut = false
        func send(_ packet: FakeBroker.ServerPacket, as sent: Kind) throws {
            guard !isCut else { return }
            guard sent == kind else { return try peer.send(packet) }
            try cut(packet)
            isCut = true
        }
        while let packet = try peer.read(timeout: .seconds(20)) {
            let answer = try peer.usualAnswer(to: packet)
            switch packet.type {
            case .connect:
                try send(.connack(properties: [.receiveMaximum(100), .reasonString("welcome")]), as: .connack)
            case .subscribe:
                try send(answer[0], as: .suback)
                try send(message, as: .publish)
                try send(.pingresp, as: .pingresp)
                if kind == .disconnect { try send(.disconnect(reason: 0x8B), as: .disconnect) }
            case .publish:
                let packetID = packet.packetID ?? 0
                let isTwice = try packet.publish().qos == 2
                let properties = [FakeBroker.Property.reasonString("thanks")]
                try send(
                    isTwice ? .pubrec(packetID: packetID) : .puback(packetID: packetID, properties: properties),
                    as: isTwice ? .pubrec : .puback
                )
            case .pubrel: try send(answer[0], as: .pubcomp)
            case .unsubscribe: try send(answer[0], as: .unsuback)
            default: for reply in answer { try peer.send(reply) }
            }
            if isCut || packet.type == .disconnect { return }
        }
    }
}
