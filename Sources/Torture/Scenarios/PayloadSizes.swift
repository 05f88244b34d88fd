internal import FaultKit
internal import Foundation

/// F15: payloads from 0 bytes to far above the limit, and a header that falsely claims a large payload.
enum PayloadSizes {
    static func run(_ testBed: TestBed) throws {
        let broker = try testBed.broker()
        let installation = try testBed.installation(port: broker.port)
        let daemon = try testBed.start(installation)
        testBed.expectedAlive = daemon
        let publisher = try testBed.publisher(to: broker, .init(rate: 1, limit: 0))
        for size in [0, 1, 65_536, 1_048_576] { try allowed(size, publisher, daemon, testBed) }
        try tooLarge(16_000_000, publisher, daemon, installation, testBed)
        if testBed.options.extent == .long { try withheld(250_000_000, publisher, daemon, testBed) }
        publisher.end()
        try testBed.close(daemon, of: installation)

        // The broker does not send an acknowledged message again to the next life.
        let next = try testBed.start(installation)
        try testBed.pause(.seconds(1))
        testBed.findings.demand(next.notices("deadletter") == 0, "a dead letter came again from the broker")
        try testBed.close(next, of: installation)
        try ForgedHeader.run(testBed)
    }

    private static func allowed(_ size: Int, _ publisher: Publisher, _ daemon: Daemon, _ testBed: TestBed) throws {
        let testMessage = testBed.inbound.next(key: 0)
        try publisher.publishSingle([UInt8](repeating: UInt8(ascii: "x"), count: size), name: "s\(size)")
        testBed.inbound.promise(testMessage)
        if try testBed.wait(upTo: .seconds(10), until: { daemon.singles("s\(size)") == [size] }) {
            testBed.inbound.saw(.init(testMessage, identity: "s\(size)"))
        }
    }

    /// Publishes a payload above the limit of the route: acknowledged, reported, kept as a dead letter without payload.
    private static func tooLarge(
        _ size: Int,
        _ publisher: Publisher,
        _ daemon: Daemon,
        _ installation: Installation,
        _ testBed: TestBed
    ) throws {
        let baseline = daemon.child.residentMemory
        // The log and the reserve exist from the beginning.
        let stored = installation.storeSize
        try publisher.publishSingle([UInt8](repeating: UInt8(ascii: "x"), count: size), name: "large")
        let isTold = try testBed.wait(upTo: .seconds(20)) { daemon.notices("deadletter") > 0 }
        testBed.findings.demand(isTold, "no $bridge.deadletter for \(size) bytes")
        let growth = daemon.child.peakMemory - baseline
        testBed.findings.demand(daemon.singles("large").isEmpty, "\(size) bytes were delivered in spite of the limit")
        testBed.findings.demand(
            Double(growth) <= 2.2 * Double(size),
            "memory grew by \(growth) bytes for a payload of \(size)"
        )
        testBed.findings.demand(installation.storeSize - stored < size / 2, "the payload that is too large was kept")
        let list = try installation.command("dead-letters", "list", "--format", "json").stdout
        let letters = list.split(separator: "\n").filter { $0.contains("single") && $0.contains("large") }
        testBed.findings.demand(
            letters.count == 1 && letters.allSatisfy { $0.contains(":\(size)") || $0.contains(": \(size)") },
            "dead-letters list tells of \(letters.count) such message(s), or not of its size"
        )
        testBed.findings.note(
            "\(size) bytes: dead letter, memory +\(String(format: "%.2f", Double(growth) / Double(size))) × payload"
        )
    }

    /// Publishes a message above the maximum packet size that the bridge announced: the broker withholds it.
    private static func withheld(_ size: Int, _ publisher: Publisher, _ daemon: Daemon, _ testBed: TestBed) throws {
        let baseline = daemon.child.peakMemory
        try publisher.publishSingle([UInt8](repeating: UInt8(ascii: "x"), count: size), name: "huge")
        try testBed.pause(.seconds(2))
        try allowed(2, publisher, daemon, testBed)
        testBed.findings.demand(
            daemon.child.peakMemory - baseline < 32 << 20,
            "memory grew by a message of \(size) bytes"
        )
        testBed.findings.note("\(size) bytes: withheld by the broker, as announced to it")
    }
}
