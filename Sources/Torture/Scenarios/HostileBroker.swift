internal import FaultKit

/// F38: a peer accepts the bridge, then sends packets that no broker sends. The daemon survives, its memory stays bounded,
/// and SIGTERM ends it.
enum HostileBroker {
    private struct Attack {
        let name: String
        let bytes: [UInt8]
        /// The number of repetitions: enough to fill memory, or 1.
        var count = 1
        /// Whether the daemon must hang up.
        var isBreach = true
    }

    /// Packets of MQTT 5, the version that the daemon requests.
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

    static func run(_ testBed: TestBed) throws {
        var (growth, slowest) = (0, Duration.zero)
        let attacks = testBed.options.extent == .short ? [attacks[0], attacks[3], attacks[6]] : attacks
        for (number, attack) in attacks.enumerated() {
            let (memory, time) = try run(attack, named: "hostile-\(number)", testBed)
            growth = max(growth, memory)
            slowest = max(slowest, time)
        }
        testBed.findings.demand(slowest <= .seconds(5), "SIGTERM took \(slowest)")
        testBed.findings.note(
            "\(attacks.count) attacks survived; memory +\(growth >> 20) MiB, SIGTERM \(Int(slowest.inSeconds * 1_000)) ms at most"
        )
    }

    /// Returns the growth of memory in bytes and the duration of SIGTERM.
    private static func run(_ attack: Attack, named name: String, _ testBed: TestBed) throws -> (Int, Duration) {
        let (listener, port) = try Socket.listening()
        defer { listener.close() }
        let installation = try testBed.installation(port: port, name: name)
        let daemon = try testBed.begin(installation)
        guard try testBed.wait(upTo: .seconds(10), until: { listener.isReadable(within: .milliseconds(5)) }),
            let peer = listener.accepted()
        else { throw Failure("the daemon did not connect to the hostile peer") }
        defer { peer.close() }
        try ForgedHeader.accept(peer, testBed)
        try testBed.ready(daemon)
        let baseline = daemon.child.residentMemory
        let hasEnded = try send(attack, to: peer, testBed)
        if attack.isBreach { testBed.findings.demand(hasEnded, "\(attack.name): the connection goes on") }
        testBed.findings.demand(daemon.child.exitStatus == nil, "\(attack.name): the daemon has ended")
        let growth = max(0, daemon.child.residentMemory - baseline)
        testBed.findings.demand(growth < 64 << 20, "\(attack.name): memory grew by \(growth >> 20) MiB")
        let begin = ContinuousClock.now
        let ending = daemon.terminate(within: .seconds(10))
        testBed.findings.demand(ending == .exited(0), "\(attack.name): SIGTERM: \(ending?.description ?? "no end")")
        return (growth, .now - begin)
    }

    /// Sends an attack and returns whether the daemon hung up. Reads nothing meanwhile.
    private static func send(_ attack: Attack, to peer: Socket, _ testBed: TestBed) throws -> Bool {
        let chunk = (0..<min(attack.count, 10_000)).flatMap { _ in attack.bytes }
        var left = max(1, attack.count / 10_000) * chunk.count
        // Stops waiting for a daemon that does not read.
        let limit = ContinuousClock.now + .seconds(3)
        var position = 0
        while left > 0, ContinuousClock.now < limit {
            guard let count = try? peer.sendNow(chunk[position...]) else { return true }
            left -= count
            position = (position + count) % chunk.count
            if count == 0 { try testBed.pause(.milliseconds(5)) }
        }
        guard attack.isBreach else { return false }
        return try testBed.wait(upTo: .seconds(5)) {
            if case .end = peer.receive(atMost: 4_096) { true } else { false }
        }
    }
}
