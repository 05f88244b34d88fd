internal import FaultKit

/// F26: SIGTERM under load in both directions: what was taken on stays, the will is not published, and it takes no
/// longer than 5 s.
enum TerminateBridge {
    static func run(_ bench: Bench) throws {
        let times = bench.options.extent(5, 20)
        let broker = try bench.broker()
        let receiver = try bench.receiver(at: broker, filters: ["out/#", "will/#"])
        let installation = try bench.installation(port: broker.port)
        installation.configuration.brokerSettings = ["will: {topic: will/torture, payload: gone}"]
        let load = Publisher.Load(rate: bench.options.rate / 2, size: 64)
        var daemon = try bench.start(installation, feeding: load)
        let publisher = try bench.publisher(to: broker, load)
        var slowest = Duration.zero
        for _ in 0..<times {
            try bench.pause(bench.random.milliseconds(50...500))
            let begin = ContinuousClock.now
            let ending = daemon.terminate(within: .seconds(10))
            slowest = max(slowest, .now - begin)
            bench.findings.demand(ending == .exited(0), "SIGTERM under load: \(ending?.description ?? "no end")")
            daemon = try bench.start(installation, feeding: load)
        }
        bench.findings.demand(slowest <= .seconds(5), "SIGTERM took \(slowest)")
        try bench.settle(publisher)
        daemon.feeder?.end()
        try bench.drain()
        try bench.close(daemon, of: installation)
        bench.findings.demand(receiver.wills == 0, "\(receiver.wills) wills were published")

        // Without this, a will that was never set would look like one that is never published.
        try bench.start(installation).kill()
        let isSeen = try bench.wait(upTo: .seconds(5)) { receiver.wills == 1 }
        bench.findings.demand(isSeen, "kill -9 published no will: its absence proves nothing")
        receiver.end()
        bench.findings.note("\(times) × SIGTERM, \(Int(slowest.inSeconds * 1_000)) ms at most, no will")
    }
}
