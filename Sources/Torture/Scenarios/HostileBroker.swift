internal import FaultKit

/// F38: a peer that accepts the bridge and then sends what no broker sends: the daemon lives, its memory stays, and SIGTERM
/// ends it.
enum HostileBroker {
    private struct Attack {
        let name: String
        let bytes: [UInt8]
        /// How often: often enough to fill memory, or once.
        var count = 1
        /// Whether the daemon must hang up.
        var isBreach = true
    }

    /// Of MQTT 5: the daemon asks for that.
    private static let attacks = [
        Attack(name: "unknown property", bytes: [0x32, 0x0B, 0, 4] + Array("in/x".utf8) + [0, 7, 2, 0x7F, 0]),
        Attack(name: "unknown property in PUBACK", bytes: [0x40, 6, 0, 1, 0, 2, 0x7F, 0]),
        Attack(name: "unknown property in DISCONNECT", bytes: [0xE0, 4, 0, 2, 0x7F, 0]),
        Attack(name: "type 0", bytes: [0x00, 0x30, 4, 0, 1, 0x61, 0]),
        Attack(name: "255 MiB", bytes: [0x30, 0x80, 0x80, 0x80, 0x7F, 0, 1, 0x61]),
        Attack(name: "QoS 2 without PUBREL", bytes: [0x34, 6, 0, 1, 0x61, 0, 7, 0], count: 100_000),
        Attack(name: "PINGRESP", bytes: [0xD0, 0], count: 4_000_000, isBreach: false),
        Attack(name: "PUBREC, and reads nothing", bytes: [0x50, 2, 0, 99], count: 2_000_000, isBreach: false),
    ]

    static func run(_ bench: Bench) throws {
        var (growth, slowest) = (0, Duration.zero)
        let attacks = bench.options.extent == .short ? [attacks[0], attacks[3], attacks[6]] : attacks
        for (number, attack) in attacks.enumerated() {
            let (memory, time) = try run(attack, named: "hostile-\(number)", bench)
            growth = max(growth, memory)
            slowest = max(slowest, time)
        }
        bench.findings.demand(slowest <= .seconds(5), "SIGTERM took \(slowest)")
        bench.findings.note(
            "\(attacks.count) attacks survived; memory +\(growth >> 20) MiB, SIGTERM \(Int(slowest.inSeconds * 1_000)) ms at most"
        )
    }

    /// How much memory grew, and how long SIGTERM took.
    private static func run(_ attack: Attack, named name: String, _ bench: Bench) throws -> (Int, Duration) {
        let (listener, port) = try Socket.listening()
        defer { listener.close() }
        let installation = try bench.installation(port: port, name: name)
        let daemon = try bench.begin(installation)
        guard try bench.wait(upTo: .seconds(10), until: { listener.isReadable(within: .milliseconds(5)) }),
            let peer = listener.accepted()
        else { throw Failure("the daemon did not connect to the hostile peer") }
        defer { peer.close() }
        try ForgedHeader.accept(peer, bench)
        try bench.ready(daemon)
        let baseline = daemon.child.residentMemory
        let hasEnded = try send(attack, to: peer, bench)
        if attack.isBreach { bench.findings.demand(hasEnded, "\(attack.name): the connection goes on") }
        bench.findings.demand(daemon.child.exitStatus == nil, "\(attack.name): the daemon has ended")
        let growth = max(0, daemon.child.residentMemory - baseline)
        bench.findings.demand(growth < 64 << 20, "\(attack.name): memory grew by \(growth >> 20) MiB")
        let begin = ContinuousClock.now
        let ending = daemon.terminate(within: .seconds(10))
        bench.findings.demand(ending == .exited(0), "\(attack.name): SIGTERM: \(ending?.description ?? "no end")")
        return (growth, .now - begin)
    }

    /// Whether the daemon hung up. Reads nothing of it.
    private static func send(_ attack: Attack, to peer: Socket, _ bench: Bench) throws -> Bool {
        let chunk = (0..<min(attack.count, 10_000)).flatMap { _ in attack.bytes }
        var left = max(1, attack.count / 10_000) * chunk.count
        // Bytes that the daemon does not take are no more to wait for.
        let limit = ContinuousClock.now + .seconds(3)
        var position = 0
        while left > 0, ContinuousClock.now < limit {
            guard let count = try? peer.sendNow(chunk[position...]) else { return true }
            left -= count
            position = (position + count) % chunk.count
            if count == 0 { try bench.pause(.milliseconds(5)) }
        }
        guard attack.isBreach else { return false }
        return try bench.wait(upTo: .seconds(5)) {
            if case .end = peer.receive(atMost: 4_096) { true } else { false }
        }
    }
}
