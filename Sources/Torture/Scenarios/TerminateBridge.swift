internal import FaultKit

/// F26: SIGTERM under load in both directions. Accepted messages are kept, the will is not published, and the end takes at
/// most 5 s.
enum TerminateBridge {
    static func run(_ testBed: TestBed) throws {
        let times = testBed.options.extent(5, 20)
        let broker = try testBed.broker()
        let receiver = try testBed.receiver(at: broker, filters: ["out/#", "will/#"])
        let installation = try testBed.installation(port: broker.port)
        installation.configuration.brokerSettings = ["will: {topic: will/torture, payload: gone}"]
        let load = Publisher.Load(rate: testBed.options.rate / 2, size: 64)
        var daemon = try testBed.start(installation, feeding: load)
        let publisher = try testBed.publisher(to: broker, load)
        var slowest = Duration.zero
        for _ in 0..<times {
            try testBed.pause(testBed.random.milliseconds(50...500))
            let begin = ContinuousClock.now
            let ending = daemon.terminate(within: .seconds(10))
            slowest = max(slowest, .now - begin)
            testBed.findings.demand(ending == .exited(0), "SIGTERM under load: \(ending?.description ?? "no end")")
            daemon = try testBed.start(installation, feeding: load)
        }
        testBed.findings.demand(slowest <= .seconds(5), "SIGTERM took \(slowest)")
        try testBed.settle(publisher)
        daemon.feeder?.end()
        try testBed.drain()
        try testBed.close(daemon, of: installation)
        testBed.findings.demand(receiver.wills == 0, "\(receiver.wills) wills were published")

        // Otherwise a will that was never set would pass for one that is never published.
        try testBed.start(installation).kill()
        let isSeen = try testBed.wait(upTo: .seconds(5)) { receiver.wills == 1 }
        testBed.findings.demand(isSeen, "kill -9 published no will: its absence proves nothing")
        receiver.end()
        testBed.findings.note("\(times) × SIGTERM, \(Int(slowest.inSeconds * 1_000)) ms at most, no will")
    }
}
