internal import FaultKit

/// F1, F2: the bridge is killed repeatedly under load, at random moments, and restarted at once.
enum KillBridge {
    /// The in-flight window of the broker, in messages.
    private static let window = 200

    static func inbound(_ testBed: TestBed) throws {
        let broker = try testBed.broker(.init(inFlight: window))
        let installation = try testBed.installation(port: broker.port)
        var daemon = try testBed.start(installation)
        let publisher = try testBed.publisher(to: broker, .init(rate: testBed.options.rate, size: 64))
        let kills = try kill(&daemon, testBed) { try testBed.start(installation) }
        try testBed.settle(publisher)
        try testBed.drain()
        try testBed.close(daemon, of: installation)
        judge(testBed.inbound.checker, kills: kills, testBed)
    }

    static func outbound(_ testBed: TestBed) throws {
        let broker = try testBed.broker(.init(inFlight: window))
        let receiver = try testBed.receiver(at: broker)
        let installation = try testBed.installation(port: broker.port)
        let load = Publisher.Load(rate: testBed.options.rate, size: 64)
        var daemon = try testBed.start(installation, feeding: load)
        let kills = try kill(&daemon, testBed) { try testBed.start(installation, feeding: load) }
        daemon.feeder?.end()
        try testBed.drain()
        try testBed.close(daemon, of: installation)
        receiver.end()
        judge(testBed.outbound.checker, kills: kills, testBed)
    }

    private static func kill(_ daemon: inout Daemon, _ testBed: TestBed, restart: () throws -> Daemon) throws -> Int {
        let kills = testBed.options.kills ?? testBed.options.extent(15, 200)
        var hits = 0
        for _ in 0..<kills {
            try testBed.pause(testBed.random.milliseconds(20...300))
            if daemon.kill() { hits += 1 }
            daemon = try restart()
        }
        testBed.findings.demand(
            hits == kills,
            "\(kills - hits) of \(kills) kills hit nothing: the daemon had ended before"
        )
        return kills
    }

    private static func judge(_ checker: Checker, kills: Int, _ testBed: TestBed) {
        testBed.findings.note("\(kills) kills")
        testBed.findings.demand(checker.promised > kills, "only \(checker.promised) messages were taken on")
        testBed.findings.demand(
            checker.doubled <= kills * window,
            "\(checker.doubled) doubled: more than one in-flight window (\(window)) for each kill"
        )
    }
}
