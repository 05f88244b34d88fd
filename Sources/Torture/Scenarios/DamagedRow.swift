internal import FaultKit
internal import Foundation
internal import GRDB

/// F43: the file of the store is changed while a backlog waits. A damaged row becomes a dead letter and the rest passes; a
/// damaged file ends the daemon with exit code 65. Neither causes endless retries.
enum DamagedRow {
    private static let damagedStore: Int32 = 65
    private static let payload = 8_192
    /// The number of damaged rows in each direction.
    private static let damaged = 5

    static func run(_ testBed: TestBed) throws {
        let times = testBed.options.extent(1, 10)
        for _ in 0..<times {
            try rows(testBed)
            try pages(testBed)
        }
        testBed.findings.note(
            "\(times) × \(damaged) damaged rows of each direction: a dead letter each; damaged pages: exit 65"
        )
    }

    /// Damages rows in both directions, at the end of the backlog and before it.
    private static func rows(_ testBed: TestBed) throws {
        let broker = try testBed.broker()
        defer { broker.kill() }
        let proxy = try testBed.proxy(to: broker)
        // Damaged messages never arrive, so this scenario checks the ledgers itself.
        let (heard, fed) = (Ledger(.inbound), Ledger(.outbound))
        let receiver = try testBed.receiver(at: broker, ledger: fed)
        defer { receiver.end() }
        let installation = try testBed.installation(port: proxy.port, name: "rows", inbound: heard, outbound: fed)
        // More than the 8 MiB that the daemon keeps in memory for a listener.
        let count = 1_250
        let load = Publisher.Load(rate: 4 * testBed.options.rate, size: payload, limit: count)
        let daemon = try testBed.start(installation)
        testBed.expectedAlive = daemon
        daemon.isOutputPaused = true
        let publisher = try testBed.publisher(to: broker, load, ledgers: [heard])
        let isTaken = try testBed.wait(whileChanging: { proxy.packets(.puback, .toServer) }) {
            proxy.packets(.puback, .toServer) >= count
        }
        testBed.findings.demand(isTaken, "the daemon did not take \(count) messages while nobody read")
        try testBed.settle(publisher)
        publisher.end()
        try damage("inbound", "payload = x'00'", installation)
        daemon.isOutputPaused = false
        try demandLetters(damaged, of: count, heard, daemon, installation, "in", testBed)

        proxy.mode = .reset
        testBed.expectedAlive = nil
        try testBed.close(daemon, of: installation)
        let other = try testBed.begin(installation, feeding: load)
        testBed.expectedAlive = other
        let isStored = try testBed.wait(whileChanging: { other.feeder?.stored ?? 0 }) { other.feeder?.stored == count }
        testBed.findings.demand(isStored, "not stored while the broker is away")
        try damage("outbound", "details = 'x'", installation)
        proxy.mode = .forward
        try demandLetters(2 * damaged, of: count, fed, other, installation, "out", testBed)
        try testBed.close(other, of: installation)
        try FileManager.default.removeItem(atPath: installation.folder)
    }

    private static func open(_ installation: Installation) throws -> DatabaseQueue {
        var configuration = Configuration()
        // The daemon writes to the store too.
        configuration.busyMode = .timeout(10)
        return try DatabaseQueue(path: installation.store, configuration: configuration)
    }

    /// Changes the last row and every 50th row before it, `damaged` rows in all.
    private static func damage(_ table: String, _ change: String, _ installation: Installation) throws {
        try open(installation).writeWithoutTransaction { database in
            let rows = try Int64.fetchAll(database, sql: "SELECT sequence FROM \(table) ORDER BY sequence")
            guard rows.count > 50 * damaged else { throw Failure("only \(rows.count) rows wait in \(table)") }
            let places = (0..<damaged).map { rows.count - 1 - 50 * $0 }
            for place in places {
                try database.execute(sql: "UPDATE \(table) SET \(change) WHERE sequence = \(rows[place])")
            }
        }
    }

    /// Waits until all messages except the damaged ones have passed, and demands a dead letter for each damaged one.
    private static func demandLetters(
        _ letters: Int,
        of count: Int,
        _ ledger: Ledger,
        _ daemon: Daemon,
        _ installation: Installation,
        _ direction: String,
        _ testBed: TestBed
    ) throws {
        let haveCome = try testBed.wait(whileChanging: { ledger.sightings }) { ledger.checker.missing <= damaged }
        _ = try testBed.wait(upTo: .seconds(5)) { ledger.silence > .milliseconds(500) }
        let missing = ledger.checker.missing
        testBed.findings.demand(
            haveCome && missing == damaged,
            "\(direction): \(missing) of \(count) did not come, not \(damaged)"
        )
        let list = try installation.command("dead-letters", "list", "--format", "json").stdout
        let found = list.split(separator: "\n").count { $0.contains("damaged") }
        testBed.findings.demand(
            found == letters,
            "\(direction): \(found) of \(letters) dead letters: \(list.prefix(300))"
        )
        let (reordered, strange) = (ledger.checker.reordered, ledger.checker.strange)
        testBed.findings.demand(
            reordered == 0 && strange == 0,
            "\(direction): \(reordered) reordered, \(strange) strange"
        )
        testBed.findings.demand(
            daemon.notices("storefailed") == 0,
            "\(direction): a damaged row counts as a failing store"
        )
    }

    /// Overwrites a part of the file that SQLite does not have in memory.
    private static func pages(_ testBed: TestBed) throws {
        let broker = try testBed.broker()
        defer { broker.kill() }
        let proxy = try testBed.proxy(to: broker)
        proxy.mode = .reset
        let installation = try testBed.installation(port: proxy.port, name: "pages", outbound: Ledger(.outbound))
        let count = 1_500
        let load = Publisher.Load(rate: 4 * testBed.options.rate, size: payload, limit: count)
        let daemon = try testBed.begin(installation, feeding: load)
        let isStored = try testBed.wait(whileChanging: { daemon.feeder?.stored ?? 0 }) {
            daemon.feeder?.stored == count
        }
        testBed.findings.demand(isStored, "not stored while the broker is away")
        try open(installation).writeWithoutTransaction { database in
            try database.execute(sql: "PRAGMA wal_checkpoint(TRUNCATE)")
        }
        guard let file = FileHandle(forUpdatingAtPath: installation.store) else { throw Failure("no store") }
        let size = try file.seekToEnd()
        try file.seek(toOffset: size / 4 / 2_048 * 2_048)
        try file.write(contentsOf: Data(repeating: 0xA5, count: Int(size / 2)))
        try file.close()
        proxy.mode = .forward
        let ending = daemon.ended(within: .seconds(15))
        testBed.findings.demand(
            ending == .exited(damagedStore),
            "damaged pages: \(ending?.description ?? "the daemon goes on")"
        )
        let failures = daemon.notices("storefailed")
        testBed.findings.demand(failures <= 1, "damaged pages: told \(failures) times")
        if ending == nil { daemon.kill() }
        let next = try testBed.begin(installation)
        let refusal = next.ended(within: .seconds(20))
        testBed.findings.demand(
            refusal == .exited(damagedStore),
            "damaged pages, the next life: \(refusal?.description ?? "it goes on")"
        )
        if refusal == nil { next.kill() }
        try FileManager.default.removeItem(atPath: installation.folder)
    }
}
