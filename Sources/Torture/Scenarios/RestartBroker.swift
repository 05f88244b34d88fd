internal import FaultKit

/// F4, F5: the broker is terminated or killed under load, and restarted on the same port.
enum RestartBroker {
    /// SIGTERM: the broker saves its state, and nothing may be lost.
    static func terminated(_ testBed: TestBed) throws {
        let restarts = testBed.options.extent(5, 100)
        let broker = try testBed.broker(.init(isPersistent: true))
        let receiver = try testBed.receiver(at: broker)
        let installation = try testBed.installation(port: broker.port)
        let load = Publisher.Load(rate: testBed.options.rate / 4, size: 64)
        let daemon = try testBed.start(installation, feeding: load)
        testBed.expectedAlive = daemon
        let publisher = try testBed.publisher(to: broker, load)
        try testBed.pause(.milliseconds(500))
        let before = try most(testBed, daemon)
        var slowest = Duration.zero
        for _ in 0..<restarts {
            try testBed.pause(testBed.random.milliseconds(100...400))
            let connections = daemon.notices("connected")
            broker.stop()
            // As long as a restart takes elsewhere. Connection attempts are refused meanwhile, so that there are never five
            // short connections in a row, which would lengthen the pauses.
            try testBed.pause(.milliseconds(800))
            try broker.restart()
            let begin = ContinuousClock.now
            let isBack = try testBed.wait(upTo: .seconds(10)) { daemon.notices("connected") > connections }
            testBed.findings.demand(isBack, "not connected 10 s after the port was back")
            slowest = max(slowest, .now - begin)
        }
        try testBed.settle(publisher)
        daemon.feeder?.end()
        try testBed.drain()
        testBed.findings.demand(
            slowest <= .seconds(1),
            "connected only \(milliseconds(slowest)) after the port was back"
        )
        try demandNoMore(than: before, daemon, testBed)
        try testBed.close(daemon, of: installation)
        receiver.end()
        testBed.findings.note("\(restarts) restarts; connected after \(milliseconds(slowest)) at most")
    }

    /// SIGKILL: messages that the broker acknowledged and then lost are noted, but no loss of the bridge. The bridge must
    /// not lose a message that the broker has never acknowledged.
    static func killed(_ testBed: TestBed) throws {
        let kills = testBed.options.extent(5, 20)
        let broker = try testBed.broker()
        // Not judged: the broker loses messages of these ledgers that it has acknowledged.
        let (lossy, fed) = (Ledger(.inbound), Ledger(.outbound))
        let installation = try testBed.installation(port: broker.port, inbound: lossy, outbound: fed)
        let load = Publisher.Load(rate: testBed.options.rate / 4, size: 64)
        let daemon = try testBed.start(installation, feeding: load)
        testBed.expectedAlive = daemon
        let publisher = try Publisher(ports: [broker.port], ledgers: [lossy], load: load)
        testBed.atEnd { publisher.end() }
        for kill in 0..<kills {
            try testBed.pause(testBed.random.milliseconds(100...400))
            let (lost, subscribed) = (reportedLosses(daemon), daemon.notices("subscribed"))
            broker.kill()
            try testBed.pause(.milliseconds(800))
            try broker.restart()
            let isBack = try testBed.wait(upTo: .seconds(10)) { daemon.notices("subscribed") > subscribed }
            testBed.findings.demand(isBack, "not subscribed 10 s after the broker was back")
            testBed.findings.demand(reportedLosses(daemon) > lost, "a lost session was not told")
            try probe("probe\(kill)", publisher, daemon, testBed)
        }
        try testBed.settle(publisher)
        daemon.feeder?.end()
        let feeder = daemon.feeder
        let isDrained = try testBed.wait(whileChanging: { feeder?.published ?? 0 }) {
            feeder?.published == feeder?.stored
        }
        testBed.findings.demand(
            isDrained,
            "stored and never published: \((feeder?.stored ?? 0) - (feeder?.published ?? 0))"
        )
        testBed.findings.demand((feeder?.published ?? 0) > kills, "too little was published to say anything")
        try testBed.pause(.seconds(2))
        try testBed.close(daemon, of: installation)
        testBed.findings.note(
            "\(kills) kills, each session told as lost and subscribed again; the broker itself lost "
                + "\(lossy.checker.missing) of \(lossy.promised) inbound messages that it had acknowledged"
        )
    }

    /// The number of reports of a lost session. The second in a row says that the broker keeps none, unless an attempt to
    /// connect has failed in between.
    private static func reportedLosses(_ daemon: Daemon) -> Int {
        daemon.notices("sessionlost") + daemon.notices("degraded")
    }

    /// Publishes a single message that must arrive.
    private static func probe(_ name: String, _ publisher: Publisher, _ daemon: Daemon, _ testBed: TestBed) throws {
        let testMessage = testBed.inbound.next(key: 0)
        try publisher.publishSingle([UInt8(ascii: "x")], name: name)
        testBed.inbound.promise(testMessage)
        if try testBed.wait(upTo: .seconds(10), until: { !daemon.singles(name).isEmpty }) {
            testBed.inbound.saw(.init(testMessage, identity: name))
        }
    }

    private static func milliseconds(_ duration: Duration) -> String { "\(Int(duration.inSeconds * 1_000)) ms" }

    /// Returns the maximum numbers of threads and descriptors over 0.4 s.
    private static func most(_ testBed: TestBed, _ daemon: Daemon) throws -> (threads: Int, descriptors: Int) {
        var most = (threads: 0, descriptors: 0)
        for _ in 0..<20 {
            most = (max(most.threads, daemon.child.threads), max(most.descriptors, daemon.child.descriptors))
            try testBed.pause(.milliseconds(20))
        }
        return most
    }

    /// A leak costs a thread for each restart, of which there are at least five. Up to three more are the Swift runtime's and
    /// Dispatch's: their pools grow when they have work, and shrink when they like.
    private static func demandNoMore(
        than before: (threads: Int, descriptors: Int),
        _ daemon: Daemon,
        _ testBed: TestBed
    ) throws {
        var after = (threads: 0, descriptors: 0)
        let isNoMore = try testBed.wait(upTo: .seconds(5)) {
            after = (daemon.child.threads, daemon.child.descriptors)
            return after.threads <= before.threads + 3 && after.descriptors <= before.descriptors
        }
        testBed.findings.demand(
            isNoMore,
            "threads \(before.threads) → \(after.threads), descriptors \(before.descriptors) → \(after.descriptors)"
        )
    }
}
