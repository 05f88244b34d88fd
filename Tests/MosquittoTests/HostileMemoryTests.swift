import Foundation
import TestSupport
import Testing

@testable import Mosquitto

/// In processes of their own, whose memory nobody else uses.
@Suite("a broker that fills memory", .serialized, .needsPacketGate)
struct HostileMemoryTests {
    /// libmosquitto answers each of these, and queues its answers without a limit.
    @Test("what must be answered is not read for long while the broker reads nothing, and flows when it does")
    func answers() async {
        await #expect(processExitsWith: .success) {
            // PUBREC, which PUBREL answers.
            let packet: [UInt8] = [0x50, 0x02, 0x00, 0x63]
            let chunk = (0..<20_000).flatMap { _ in packet }
            let sent = Locked(0)
            let (isFlooding, isReading) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
            let broker = try FakeBroker { peer in
                peer.setReceiveBuffer(4_096)
                try peer.accept()
                if peer.index == 0 {
                    _ = isFlooding.wait(timeout: .now() + 60)
                    Thread {
                        for _ in 0..<8 where (try? peer.sendRaw(chunk)) != nil { sent.withLock { $0 += 1 } }
                        try? peer.send(.publish(topic: "behind"))
                    }
                    .start()
                    _ = isReading.wait(timeout: .now() + 60)
                    peer.setReceiveBuffer(1 << 20)
                }
                try peer.serve { packet in packet.type == .pubrel || packet.type == .pingresp ? [] : nil }
            }
            defer { isReading.signal() }
            let before = residentMemory()
            try await withClient(to: broker.url, options: .quick().with { $0.timeouts.keepAlive = .seconds(60) }) {
                _,
                recorder in
                try await recorder.connected()
                limitSendBuffer(ofConnectionTo: broker.port)
                isFlooding.signal()
                // How much the broker gets rid of is the kernel's affair: what is held depends on its buffers.
                var (last, quiet) = ([0], 0)
                try await recorder.wait(for: "no change") { _ in
                    let state = [residentMemory(), sent.withLock { $0 }]
                    (last, quiet) = (state, state == last ? quiet + 1 : 0)
                    return quiet > 20 && state[1] > 0
                }
                #expect(residentMemory() - before < 16 << 20)
                isReading.signal()
                #expect(try await recorder.received(1).map(\.topic) == ["behind"])
                #expect(recorder.connections.count == 1)
            }
        }
    }

    @Test("a message with three million user properties counts as too large, and is acknowledged")
    func properties() async {
        await #expect(processExitsWith: .success) {
            let properties = (0..<3_000_000).flatMap { _ in [0x26, 0, 0, 0, 0] as [UInt8] }
            let body = [0, 1, 0x61, 0, 7] + variableInteger(properties.count) + properties + [1, 2, 3]
            let packet = [0x32] + variableInteger(body.count) + body
            let broker = try FakeBroker { peer in
                try peer.accept()
                try peer.sendRaw(packet)
                try peer.send(.publish(topic: "b", payload: [1], qos: 1, packetID: 8))
                try peer.serve()
            }
            let before = residentMemory()
            try await withClient(to: broker.url) { _, recorder in
                let messages = try await recorder.received(2)
                #expect(messages.map(\.topic) == ["a", "b"])
                #expect(messages[0].payload == [] && messages[0].properties.userProperties == [])
                #expect(try #require(messages[0].omittedPayloadSize) > 14_000_000)
                #expect(messages[1].payload == [1] && messages[1].omittedPayloadSize == nil)
                try await recorder.wait(for: "acknowledgements") { _ in broker.count(.puback) == 2 }
                #expect(recorder.connections.count == 1)
            }
            // The packet itself, once.
            #expect(residentMemory() - before < 64 << 20)
        }
    }

    @Test("a SUBACK with reasons without number does no harm")
    func reasons() async {
        await #expect(processExitsWith: .success) {
            let body = [0x00, 0x63, 0x00] + [UInt8](repeating: 0, count: 4 << 20)
            let packet = [0x90] + variableInteger(body.count) + body
            let broker = try FakeBroker { peer in
                try peer.accept()
                for _ in 0..<20 { try peer.sendRaw(packet) }
                try peer.send(.publish(topic: "behind"))
                try peer.serve()
            }
            let before = residentMemory()
            try await withClient(to: broker.url) { _, recorder in
                try await recorder.received(1)
                #expect(recorder.connections.count == 1)
            }
            #expect(residentMemory() - before < 64 << 20)
        }
    }
}

/// Lets the kernel keep few bytes of a client that are not sent: else millions of small packets fit.
private func limitSendBuffer(ofConnectionTo port: Int) {
    for descriptor in 0..<1_024 as Range<Int32> {
        var address = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let code = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getpeername(descriptor, $0, &length) }
        }
        guard code == 0, address.sin_family == AF_INET, Int(UInt16(bigEndian: address.sin_port)) == port else {
            continue
        }
        var size: Int32 = 4_096
        setsockopt(descriptor, SOL_SOCKET, SO_SNDBUF, &size, socklen_t(MemoryLayout<Int32>.size))
    }
}

@Suite("a broker that sends more than it was told to")
struct AnnouncedLimitTests {
    /// PUBREL for an identifier of nothing gives libmosquitto's quota back.
    @Test("more messages at QoS 2 under way than announced end the connection", .needsPacketGate)
    func unreleased() async throws {
        let broker = try FakeBroker { peer in
            try peer.accept()
            for number in 1...(peer.index == 0 ? 11 : 10) as ClosedRange<UInt16> {
                try peer.send(.publish(topic: "a", qos: 2, packetID: number))
                if peer.index == 0 { try peer.send(.pubrel(packetID: 60_000)) }
            }
            try peer.serve { packet in peer.index == 0 && packet.type == .pubrec ? [] : nil }
        }
        let options = ClientOptions.quick().with { $0.limits.receiveMaximum = 10 }
        try await withClient(to: broker.url, options: options) { _, recorder in
            try await recorder.received(10)
            let error = try #require(recorder.disconnections.first ?? nil)
            #expect(error.code == .protocolError && error.detail.contains("more than 10 messages"), "\(error)")
            #expect(recorder.connections.count == 2)
        }
    }

    @Test(
        "messages at QoS 2 under way may be 16 times as large as a packet",
        .needsPacketGate,
        arguments: ProtocolVersion.allCases
    )
    func unreleasedSize(version: ProtocolVersion) async throws {
        let broker = try FakeBroker { peer in
            try peer.accept()
            for number in 1...(peer.index == 0 ? 17 : 16) as ClosedRange<UInt16> {
                try peer.send(
                    .publish(topic: "a", payload: [UInt8](repeating: 1, count: 19_000), qos: 2, packetID: number)
                )
            }
            try peer.serve { packet in peer.index == 0 && packet.type == .pubrec ? [] : nil }
        }
        let options = ClientOptions.quick(version).with { $0.limits.maximumPacketSize = 19_010 }
        try await withClient(to: broker.url, options: options) { _, recorder in
            try await recorder.received(16)
            let error = try #require(recorder.disconnections.first ?? nil)
            #expect(error.code == .protocolError && error.detail.contains("bytes under way"), "\(error)")
        }
    }

    @Test("user properties count towards the largest payload", arguments: [QoS.atMostOnce, .atLeastOnce, .exactlyOnce])
    func userProperties(qos: QoS) async throws {
        let text = String(repeating: "v", count: 200)
        let broker = try FakeBroker { peer in
            try peer.accept()
            for (number, count) in [4, 5].enumerated() {
                try peer.send(
                    .publish(
                        topic: "a",
                        payload: [UInt8](repeating: 1, count: 200),
                        qos: qos.rawValue,
                        packetID: UInt16(number + 1),
                        properties: (0..<count).map { _ in .userProperty("name", text) } + [.contentType("x")]
                    )
                )
            }
            try peer.serve()
        }
        let options = ClientOptions.quick().with { $0.limits.largestPayload = 4 * 204 + 200 }
        try await withClient(to: broker.url, options: options) { _, recorder in
            let messages = try await recorder.received(2)
            #expect(messages.map(\.omittedPayloadSize) == [nil, 5 * 204 + 200])
            #expect(messages.map(\.payload.count) == [200, 0])
            #expect(messages.map(\.properties.userProperties.count) == [4, 0])
            #expect(messages.map(\.properties.contentType) == ["x", "x"])
        }
    }
}
