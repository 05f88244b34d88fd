internal import Foundation
internal import Glibc

/// The end of F15: a peer that accepts the bridge and then sends a header that claims 268 MB, and nothing of them.
enum ForgedHeader {
    static func run(_ bench: Bench) throws {
        let (listener, port) = try Socket.listening()
        defer { listener.close() }
        let installation = try bench.installation(port: port, name: "forged")
        installation.configuration.brokerSettings = ["keep_alive: 5s"]
        let daemon = try bench.begin(installation)
        guard try bench.wait(upTo: .seconds(10), until: { listener.isReadable(within: 5) }),
            let peer = listener.accepted()
        else { throw Failure("the daemon did not connect to the peer that forges") }
        defer { peer.close() }
        try accept(peer, bench)
        try bench.ready(daemon)
        let baseline = daemon.child.residentMemory
        // PUBLISH at QoS 1 with the largest remaining length there is (MQTT 5, section 1.5.5), and a topic.
        let bytes: [UInt8] = [0x32, 0xFF, 0xFF, 0xFF, 0x7F, 0x00, 0x04] + Array("in/x".utf8)
        bench.findings.demand(peer.write(bytes[...]) == bytes.count, "the forged header could not be sent")
        // At the latest when the answer to its ping does not come: the peer has nothing to say but that one packet.
        let hasEnded = try bench.wait(upTo: .seconds(15)) {
            if case .end = peer.read(atMost: 4_096) { true } else { false }
        }
        let growth = daemon.child.peakMemory - baseline
        bench.findings.demand(hasEnded, "a header that claims 268 MB held the connection for 3 × keep-alive")
        bench.findings.demand(growth < 32 << 20, "memory grew by \(growth >> 20) MiB for a forged header")
        bench.findings.demand(daemon.child.ending == nil, "a forged header ended the daemon")
        bench.findings.note("forged header: connection ended, memory +\(max(0, growth) >> 10) KiB")
        daemon.kill()
    }

    /// Plays the broker until the subscriptions are answered.
    private static func accept(_ peer: Socket, _ bench: Bench) throws {
        var bytes: [UInt8] = []
        var isSubscribed = false
        _ = try bench.wait(upTo: .seconds(10)) {
            if case .bytes(let more) = peer.read(atMost: 65_536) { bytes += more }
            while let packet = Packet.first(of: &bytes) {
                if packet.type == PacketType.connect.rawValue { _ = peer.write([0x20, 3, 0, 0, 0]) }
                if packet.type == PacketType.subscribe.rawValue {
                    _ = peer.write(packet.suback[...])
                    isSubscribed = true
                }
            }
            return isSubscribed
        }
        guard isSubscribed else { throw Failure("the daemon did not subscribe at the peer that forges") }
    }

    /// A packet of MQTT 5 whose body is below 2 MB.
    private struct Packet {
        let type: UInt8
        let body: ArraySlice<UInt8>

        /// Takes the first packet away; nil where it is not complete yet.
        static func first(of bytes: inout [UInt8]) -> Packet? {
            guard bytes.count >= 2, let (length, begin) = variableInteger(bytes[1...]), bytes.count >= begin + length
            else { return nil }
            let packet = Packet(type: bytes[0] >> 4, body: bytes[begin..<begin + length])
            bytes.removeFirst(begin + length)
            return packet
        }

        /// Grants QoS 1 to each filter.
        var suback: [UInt8] {
            guard body.count > 3, let (length, begin) = Self.variableInteger(body.dropFirst(2)) else { return [] }
            var rest = body[(begin + length)...]
            var reasons: [UInt8] = []
            while rest.count >= 3 {
                let size = Int(rest[rest.startIndex]) << 8 + Int(rest[rest.startIndex + 1])
                rest = rest.dropFirst(2 + size + 1)
                reasons.append(1)
            }
            return [0x90, UInt8(clamping: 3 + reasons.count)] + body.prefix(2) + [0] + reasons
        }

        /// The value, and the index behind it.
        private static func variableInteger(_ bytes: ArraySlice<UInt8>) -> (Int, Int)? {
            var value = 0
            for (place, byte) in bytes.prefix(4).enumerated() {
                value |= Int(byte & 0x7F) << (7 * place)
                if byte & 0x80 == 0 { return (value, bytes.startIndex + place + 1) }
            }
            return nil
        }
    }
}
