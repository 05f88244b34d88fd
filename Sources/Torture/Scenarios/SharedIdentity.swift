internal import FaultKit

/// F42: each message arrives from two brokers under one identity, and the daemon is killed at many moments. After each kill
/// one broker forgets everything, so that only the daemon's store or the other broker can have the message: the daemon must
/// not acknowledge the other broker's copy before the first copy is stored.
enum SharedIdentity {
    private static func route(_ name: String, broker: String, durability: String) -> String {
        "name: \(name), topic: \"in/{rest...}\", event: \"in.{rest...}\", direction: in, broker: \(broker), durability: \(durability)"
    }

    static func run(_ testBed: TestBed) throws {
        let kills = testBed.options.extent(8, 100)
        // Order across brokers is not promised, and after each kill one of them is ahead of the other.
        testBed.toleratesReordering = true
        let faithful = try testBed.broker(.init(inFlight: 200))
        let forgetful = try testBed.broker(.init(inFlight: 200))
        try lives("disk", kills, testBed.inbound, faithful, forgetful, testBed)
        // A message from a route in memory runs again from the store: within one life, nothing marks that copy as a double.
        let ledger = Ledger(.inbound)
        try lives("memory", kills, ledger, faithful, forgetful, testBed)
        let missing = ledger.checker.missing
        testBed.findings.demand(
            missing == 0,
            "\(missing) of \(ledger.promised) lost whose first copy was in memory only"
        )
        testBed.findings.note("\(kills) kills with both copies on durable routes, \(kills) with one in memory")
    }

    /// - Parameter durability: The durability of the route from the forgetful broker.
    private static func lives(
        _ durability: String,
        _ kills: Int,
        _ ledger: Ledger,
        _ faithful: MosquittoBroker,
        _ forgetful: MosquittoBroker,
        _ testBed: TestBed
    ) throws {
        let installation = try testBed.installation(port: faithful.port, name: durability, inbound: ledger)
        installation.configuration.otherPort = forgetful.port
        installation.configuration.otherSettings = ["session_expiry: 1h"]
        installation.configuration.routes = [
            route("faithful", broker: "b", durability: "disk"),
            route("forgetful", broker: "other", durability: durability),
        ]
        testBed.end(try testBed.start(installation), isKilled: false)
        // Large enough that the pipe is full soon.
        let load = Publisher.Load(rate: testBed.options.rate / 2, size: 2_048)
        let publisher = try testBed.publisher(to: faithful, and: forgetful, load, ledgers: [ledger])
        var daemon = try testBed.begin(installation, crashPoint: "before-commit:10:40")
        for kill in 0..<kills {
            let isInCommit = kill.isMultiple(of: 2)
            if isInCommit {
                // The daemon pauses before a commit, so that the other broker's copies of unstored messages arrive.
                let hasEnded = try testBed.wait(upTo: .seconds(20)) { daemon.child.exitStatus != nil }
                testBed.findings.demand(hasEnded, "the crash point before a commit was not hit")
                daemon.kill()
            } else {
                try testBed.pause(testBed.random.milliseconds(20...250))
                // Messages that wait in memory are then not printed before the kill.
                daemon.isOutputPaused = true
                try testBed.pause(.milliseconds(50))
                testBed.end(daemon, isKilled: true)
            }
            forgetful.kill()
            try forgetful.restart()
            let passing = Int.random(in: 5...25, using: &testBed.random)
            let willStand = kill + 1 < kills && !isInCommit
            daemon = try testBed.begin(installation, crashPoint: willStand ? "before-commit:\(passing):40" : nil)
            if !willStand { try testBed.ready(daemon) }
        }
        try testBed.settle(publisher)
        publisher.end()
        try testBed.drain([ledger], quiet: .seconds(1))
        let promised = ledger.promised
        testBed.findings.demand(promised > 10 * kills, "only \(promised) messages were taken on")
        try testBed.close(daemon, of: installation)
    }
}
