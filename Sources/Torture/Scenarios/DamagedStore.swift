internal import FaultKit
internal import Foundation

/// F22: the file of a store with messages in it is changed or truncated before the next life.
///
/// The damaged file is the database of a daemon that ended in order. Either the daemon refuses it, or, if the damage hit no
/// part in use, it delivers the same messages as from an undamaged copy.
enum DamagedStore {
    static func run(_ testBed: TestBed) throws {
        let broker = try testBed.broker(.init(inFlight: 200))
        let installation = try testBed.installation(port: broker.port)
        try fill(installation, broker, testBed)
        testBed.inbound.expectRestoredCopies()
        // A quick check misses most of this damage; its discovery on reading is another scenario.
        installation.configuration.checkAtStart = "full"
        let original = try Data(contentsOf: URL(fileURLWithPath: installation.store))
        let whole = try deliveries(of: testBed.start(installation), atLeast: 1, testBed)
        testBed.findings.demand(whole > 100, "only \(whole) messages waited in the store")

        var refused = 0
        let times = testBed.options.extent(10, 200)
        for time in 0..<times {
            let isCut = time.isMultiple(of: 5)
            try restore(isCut ? cut(original, testBed) : flip(original, testBed), installation)
            installation.configuration.onCorrupt = "refuse"
            let daemon = try testBed.begin(installation)
            _ = try testBed.wait(upTo: .seconds(20)) { daemon.isReady || daemon.child.exitStatus != nil }
            if let ending = daemon.child.exitStatus {
                refused += 1
                daemon.kill()
                let text = daemon.complaints
                testBed.findings.demand(ending == .exited(65), "a damaged store ended the daemon with \(ending)")
                testBed.findings.demand(
                    text.contains("bridge.sqlite"),
                    "the refusal does not name the file: \(text.prefix(200))"
                )
                if refused.isMultiple(of: 3) { try moveAside(installation, testBed) }
            } else {
                testBed.findings.demand(!isCut, "a store that was cut short was not refused")
                let delivered = try deliveries(of: daemon, atLeast: whole, testBed)
                testBed.findings.demand(
                    delivered == whole,
                    "half read: \(delivered) of \(whole) messages of a damaged store"
                )
            }
        }
        testBed.findings.demand(refused > 0, "no harm was noticed")
        testBed.findings.note("\(times) harmed: \(refused) refused, \(times - refused) met nothing in use")
        try restore(original, installation)
        let daemon = try testBed.start(installation)
        try testBed.drain()
        try testBed.close(daemon, of: installation)
    }

    /// Leaves messages in the store of a daemon that ended in order.
    private static func fill(_ installation: Installation, _ broker: MosquittoBroker, _ testBed: TestBed) throws {
        let proxy = try testBed.proxy(to: broker)
        let port = installation.configuration.port
        installation.configuration.port = proxy.port
        let daemon = try testBed.start(installation)
        daemon.isOutputPaused = true
        let count = 3_000
        let publisher = try testBed.publisher(to: broker, .init(rate: testBed.options.rate, size: 300, limit: count))
        let isStored = try testBed.wait(upTo: .seconds(20)) { proxy.packets(.puback, .toServer) >= count }
        testBed.findings.demand(isStored, "the daemon did not take \(count) messages while nobody read")
        try testBed.settle(publisher)
        publisher.end()
        let ending = daemon.terminate()
        testBed.findings.demand(
            ending == .exited(0),
            "SIGTERM with nobody reading ended the daemon with \(ending?.description ?? "nothing")"
        )
        installation.configuration.port = port
    }

    /// Returns the number of messages that a daemon delivers before it is killed: after `count` messages, or after 5 s.
    private static func deliveries(of daemon: Daemon, atLeast count: Int, _ testBed: TestBed) throws -> Int {
        _ = try testBed.wait(upTo: .seconds(5)) {
            daemon.inboundLines >= count && testBed.inbound.silence > .milliseconds(300)
        }
        daemon.kill()
        return daemon.inboundLines
    }

    private static func moveAside(_ installation: Installation, _ testBed: TestBed) throws {
        installation.configuration.onCorrupt = "move-aside"
        let daemon = try testBed.start(installation)
        let names = try FileManager.default.contentsOfDirectory(atPath: "\(installation.folder)/store")
        let known = [
            "bridge.sqlite", "bridge.sqlite-wal", "bridge.sqlite-shm", "bridge.sqlite.lock", "bridge.sqlite.reserve",
        ]
        testBed.findings.demand(names.contains { !known.contains($0) }, "nothing was moved aside: \(names.sorted())")
        testBed.findings.demand(daemon.inboundLines == 0, "a new store delivered \(daemon.inboundLines) messages")
        try testBed.close(daemon, of: installation)
    }

    private static func flip(_ original: Data, _ testBed: TestBed) -> Data {
        var data = original
        for _ in 0..<Int.random(in: 1...16, using: &testBed.random) {
            let place = Int.random(in: 0..<data.count, using: &testBed.random)
            data[place] ^= UInt8.random(in: 1...255, using: &testBed.random)
        }
        return data
    }

    private static func cut(_ original: Data, _ testBed: TestBed) -> Data {
        original.prefix(Int.random(in: 1..<original.count, using: &testBed.random))
    }

    /// Replaces the contents of the store's folder with a file.
    private static func restore(_ data: Data, _ installation: Installation) throws {
        let folder = "\(installation.folder)/store"
        for name in try FileManager.default.contentsOfDirectory(atPath: folder) {
            try FileManager.default.removeItem(atPath: "\(folder)/\(name)")
        }
        try data.write(to: URL(fileURLWithPath: installation.store))
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: installation.store)
    }
}
