internal import FaultKit

/// The broker does not answer for a minute while events are emitted. When it is back they arrive once, in order per
/// topic, and not faster than `drain_rate`.
enum BrokerAway {
    private static let rate = 1_000

    static func run(_ bench: Bench) throws {
        let count = bench.options.extent(2_000, 10_000)
        let absence: Duration = .seconds(bench.options.extent(5, 60))
        let broker = try bench.broker()
        let proxy = try bench.proxy(to: broker)
        let receiver = try bench.receiver(at: broker)
        let installation = try bench.installation(port: proxy.port)
        installation.configuration.drainRate = rate
        proxy.mode = .blackHole
        let begin = ContinuousClock.now
        let load = Publisher.Load(rate: bench.options.rate, size: 64, limit: count)
        let daemon = try bench.begin(installation, feeding: load)
        bench.expectedAlive = daemon
        let areStored = try bench.wait(upTo: .seconds(30)) { daemon.feeder?.stored == count }
        bench.findings.demand(areStored, "not stored while the broker is away")
        try bench.pause(absence - (.now - begin))
        bench.findings.demand(bench.outbound.sightings == 0, "the broker was not away")
        proxy.mode = .forward
        let most = try mostInASecond(bench, until: count)
        try bench.drain()
        try bench.close(daemon, of: installation)
        receiver.end()
        bench.findings.demand(most <= rate, "\(most) in a second, \(rate) are allowed")
        bench.findings.demand(bench.outbound.checker.doubled == 0, "some came twice")
        bench.findings.note(
            "\(count) emits, away \(absence.components.seconds) s; at most \(most) in a second of \(rate) allowed"
        )
    }

    /// The most that arrived in any second until all have.
    private static func mostInASecond(_ bench: Bench, until count: Int) throws -> Int {
        var samples: [(at: ContinuousClock.Instant, sightings: Int)] = []
        var most = 0
        _ = try bench.wait(upTo: .seconds(60)) {
            let (now, sightings) = (ContinuousClock.now, bench.outbound.sightings)
            samples.append((now, sightings))
            samples.removeAll { $0.at + .seconds(1) < now }
            most = max(most, sightings - (samples.first?.sightings ?? 0))
            return sightings >= count
        }
        return most
    }
}
