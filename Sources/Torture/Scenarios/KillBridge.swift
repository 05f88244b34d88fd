internal import FaultKit

/// F1, F2: the bridge is killed again and again under load, at random moments, and started again at once.
enum KillBridge {
    /// The most unacknowledged messages that the broker has at the bridge.
    private static let window = 200

    static func inbound(_ bench: Bench) throws {
        let broker = try bench.broker(.init(inFlight: window))
        let installation = try bench.installation(port: broker.port)
        var daemon = try bench.start(installation)
        let publisher = try bench.publisher(to: broker, .init(rate: bench.options.rate, size: 64))
        let kills = try kill(&daemon, bench) { try bench.start(installation) }
        try bench.settle(publisher)
        try bench.drain(upTo: .seconds(120))
        try bench.close(daemon, of: installation)
        judge(bench.inbound.checker, kills: kills, bench)
    }

    static func outbound(_ bench: Bench) throws {
        let broker = try bench.broker(.init(inFlight: window))
        let receiver = try bench.receiver(at: broker)
        let installation = try bench.installation(port: broker.port)
        let load = Publisher.Load(rate: bench.options.rate, size: 64)
        var daemon = try bench.start(installation, feeding: load)
        let kills = try kill(&daemon, bench) { try bench.start(installation, feeding: load) }
        daemon.feeder?.end()
        try bench.drain(upTo: .seconds(120))
        try bench.close(daemon, of: installation)
        receiver.end()
        judge(bench.outbound.checker, kills: kills, bench)
    }

    private static func kill(_ daemon: inout Daemon, _ bench: Bench, restart: () throws -> Daemon) throws -> Int {
        let kills = bench.options.kills ?? bench.options.extent(15, 200)
        var hits = 0
        for _ in 0..<kills {
            try bench.pause(bench.random.milliseconds(20...300))
            if daemon.kill() { hits += 1 }
            daemon = try restart()
        }
        bench.findings.demand(
            hits == kills,
            "\(kills - hits) of \(kills) kills hit nothing: the daemon had ended before"
        )
        return kills
    }

    private static func judge(_ checker: Checker, kills: Int, _ bench: Bench) {
        bench.findings.note("\(kills) kills")
        bench.findings.demand(checker.promised > kills, "only \(checker.promised) messages were taken on")
        bench.findings.demand(
            checker.doubled <= kills * window,
            "\(checker.doubled) doubled: more than one in-flight window (\(window)) for each kill"
        )
    }
}
