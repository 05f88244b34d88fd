internal import FaultKit
internal import Foundation
internal import Glibc

/// The end of F15: a peer accepts the bridge, then sends a header that claims 268 MB, and no body.
enum ForgedHeader {
    static func run(_ testBed: TestBed) throws {
        let (listener, port) = try Socket.listening()
        defer { listener.close() }
        let installation = try testBed.installation(port: port, name: "forged")
        installation.configuration.brokerSettings = ["keep_alive: 5s"]
        let daemon = try testBed.begin(installation)
        guard try testBed.wait(upTo: .seconds(10), until: { listener.isReadable(within: .milliseconds(5)) }),
            let peer = listener.accepted()
        else { throw Failure("the daemon did not connect to the peer that forges") }
        defer { peer.close() }
        try accept(peer, testBed)
        try testBed.ready(daemon)
        let baseline = daemon.child.residentMemory
        // PUBLISH at QoS 1 with the maximum remaining length (MQTT 5, section 1.5.5) and a topic.
        let bytes: [UInt8] = [0x32, 0xFF, 0xFF, 0xFF, 0x7F, 0x00, 0x04] + Array("in/x".utf8)
        let isSent = (try? peer.sendNow(bytes[...])) == bytes.count
        testBed.findings.demand(isSent, "the forged header could not be sent")
        // The daemon hangs up at the latest when its ping is not answered: the peer sends nothing after that packet.
        let hasEnded = try testBed.wait(upTo: .seconds(15)) {
            if case .end = peer.receive(atMost: 4_096) { true } else { false }
        }
        let growth = daemon.child.peakMemory - baseline
        testBed.findings.demand(hasEnded, "a header that claims 268 MB held the connection for 3 × keep-alive")
        testBed.findings.demand(growth < 32 << 20, "memory grew by \(growth >> 20) MiB for a forged header")
        testBed.findings.demand(daemon.child.exitStatus == nil, "a forged header ended the daemon")
        testBed.findings.note("forged header: connection ended, memory +\(max(0, growth) >> 10) KiB")
        daemon.kill()
    }

    /// Acts as the broker until the subscriptions are answered.
    static func accept(_ peer: Socket, _ testBed: TestBed) throws {
        var bytes: [UInt8] = []
        var isSubscribed = false
        _ = try testBed.wait(upTo: .seconds(10)) {
            if case .bytes(let more) = peer.receive() { bytes += more }
            while let packet = try? FakeBroker.Packet.take(from: &bytes, version: .v5) {
                if packet.type == .connect { try? peer.send(FakeBroker.ServerPacket.connack().encode(.v5)) }
                if let subscribe = try? packet.subscribe() {
                    let reasons = subscribe.filters.map { _ in 1 as UInt8 }
                    let suback = FakeBroker.ServerPacket.suback(packetID: subscribe.packetID, reasons: reasons)
                    try? peer.send(suback.encode(.v5))
                    isSubscribed = true
                }
            }
            return isSubscribed
        }
        guard isSubscribed else { throw Failure("the daemon did not subscribe at the peer that forges") }
    }
}
