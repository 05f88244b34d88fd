internal import FaultKit

/// F4, F5: the broker goes away under load, in order or not, and comes back on the same port.
enum RestartBroker {
    /// In order: it saves its state, and nothing may be lost.
    static func terminated(_ bench: Bench) throws {
        let restarts = bench.options.extent(5, 100)
        let broker = try bench.broker(.init(isPersistent: true))
        let receiver = try bench.receiver(at: broker)
        let installation = try bench.installation(port: broker.port)
        let load = Publisher.Load(rate: bench.options.rate / 4, size: 64)
        let daemon = try bench.start(installation, feeding: load)
        bench.expectedAlive = daemon
        let publisher = try bench.publisher(to: broker, load)
        try bench.pause(.milliseconds(500))
        let before = try most(bench, daemon)
        var slowest = Duration.zero
        for _ in 0..<restarts {
            try bench.pause(bench.random.milliseconds(100...400))
            let connections = daemon.notices("connected")
            broker.stop()
            // As long as a restart takes elsewhere: an attempt to connect is refused meanwhile, so that five short
            // lives in a row do not make the pauses long.
            try bench.pause(.milliseconds(800))
            try broker.restart()
            let begin = ContinuousClock.now
            let isBack = try bench.wait(upTo: .seconds(10)) { daemon.notices("connected") > connections }
            bench.findings.demand(isBack, "not connected 10 s after the port was back")
            slowest = max(slowest, .now - begin)
        }
        try bench.settle(publisher)
        daemon.feeder?.end()
        try bench.drain()
        bench.findings.demand(slowest <= .seconds(1), "connected only \(milliseconds(slowest)) after the port was back")
        try demandNoMore(than: before, daemon, bench)
        try bench.close(daemon, of: installation)
        receiver.end()
        bench.findings.note("\(restarts) restarts; connected after \(milliseconds(slowest)) at most")
    }

    /// Not in order: what the broker forgets is its own loss, which is told and not counted as ours. Ours would be a
    /// message that it has never acknowledged.
    static func killed(_ bench: Bench) throws {
        let kills = bench.options.extent(5, 20)
        let broker = try bench.broker()
        // What the broker has acknowledged and then lost is not the bridge's: these ledgers are not judged.
        let (lossy, fed) = (Ledger(.inbound), Ledger(.outbound))
        let installation = try bench.installation(port: broker.port, inbound: lossy, outbound: fed)
        let load = Publisher.Load(rate: bench.options.rate / 4, size: 64)
        let daemon = try bench.start(installation, feeding: load)
        bench.expectedAlive = daemon
        let publisher = try Publisher(ports: [broker.port], ledgers: [lossy], load: load)
        bench.atEnd { publisher.end() }
        for kill in 0..<kills {
            try bench.pause(bench.random.milliseconds(100...400))
            let (lost, subscribed) = (daemon.notices("sessionlost"), daemon.notices("subscribed"))
            broker.kill()
            try bench.pause(.milliseconds(800))
            try broker.restart()
            let isBack = try bench.wait(upTo: .seconds(10)) { daemon.notices("subscribed") > subscribed }
            bench.findings.demand(isBack, "not subscribed 10 s after the broker was back")
            bench.findings.demand(daemon.notices("sessionlost") > lost, "a lost session was not told")
            try probe("probe\(kill)", publisher, daemon, bench)
        }
        try bench.settle(publisher)
        daemon.feeder?.end()
        let feeder = daemon.feeder
        let isDrained = try bench.wait(upTo: .seconds(30)) { feeder?.published == feeder?.stored }
        bench.findings.demand(
            isDrained,
            "stored and never published: \((feeder?.stored ?? 0) - (feeder?.published ?? 0))"
        )
        bench.findings.demand((feeder?.published ?? 0) > kills, "too little was published to say anything")
        try bench.pause(.seconds(2))
        try bench.close(daemon, of: installation)
        bench.findings.note(
            "\(kills) kills, each session told as lost and subscribed again; the broker itself lost "
                + "\(lossy.checker.missing) of \(lossy.promised) inbound messages that it had acknowledged"
        )
    }

    /// A single message that must come through.
    private static func probe(_ name: String, _ publisher: Publisher, _ daemon: Daemon, _ bench: Bench) throws {
        let parcel = bench.inbound.next(key: 0)
        try publisher.publishSingle([UInt8(ascii: "x")], name: name)
        bench.inbound.promise(parcel)
        if try bench.wait(upTo: .seconds(10), until: { !daemon.singles(name).isEmpty }) {
            bench.inbound.saw(.init(parcel, identity: name))
        }
    }

    private static func milliseconds(_ duration: Duration) -> String { "\(Int(duration.inSeconds * 1_000)) ms" }

    /// The most threads and descriptors over a while.
    private static func most(_ bench: Bench, _ daemon: Daemon) throws -> (threads: Int, descriptors: Int) {
        var most = (threads: 0, descriptors: 0)
        for _ in 0..<20 {
            most = (max(most.threads, daemon.child.threads), max(most.descriptors, daemon.child.descriptors))
            try bench.pause(.milliseconds(20))
        }
        return most
    }

    private static func demandNoMore(
        than before: (threads: Int, descriptors: Int),
        _ daemon: Daemon,
        _ bench: Bench
    ) throws {
        var after = (threads: 0, descriptors: 0)
        let isNoMore = try bench.wait(upTo: .seconds(5)) {
            after = (daemon.child.threads, daemon.child.descriptors)
            return after.threads <= before.threads && after.descriptors <= before.descriptors
        }
        bench.findings.demand(
            isNoMore,
            "threads \(before.threads) → \(after.threads), descriptors \(before.descriptors) → \(after.descriptors)"
        )
    }
}
