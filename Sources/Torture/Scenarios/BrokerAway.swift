internal import FaultKit

/// The broker does not answer for up to a minute while events are emitted. Afterwards they arrive once, in order per
/// topic, and not faster than `drain_rate`.
enum BrokerAway {
    private static let rate = 1_000

    static func run(_ testBed: TestBed) throws {
        let count = testBed.options.extent(2_000, 10_000)
        let absence: Duration = .seconds(testBed.options.extent(5, 60))
        let broker = try testBed.broker()
        let proxy = try testBed.proxy(to: broker)
        let receiver = try testBed.receiver(at: broker)
        let installation = try testBed.installation(port: proxy.port)
        installation.configuration.drainRate = rate
        proxy.mode = .blackHole
        let begin = ContinuousClock.now
        let load = Publisher.Load(rate: testBed.options.rate, size: 64, limit: count)
        let daemon = try testBed.begin(installation, feeding: load)
        testBed.expectedAlive = daemon
        let areStored = try testBed.wait(whileChanging: { daemon.feeder?.stored ?? 0 }) {
            daemon.feeder?.stored == count
        }
        testBed.findings.demand(areStored, "not stored while the broker is away")
        try testBed.pause(absence - (.now - begin))
        testBed.findings.demand(testBed.outbound.sightings == 0, "the broker was not away")
        proxy.mode = .forward
        let most = try mostInASecond(testBed, until: count)
        try testBed.drain()
        try testBed.close(daemon, of: installation)
        receiver.end()
        testBed.findings.demand(most <= rate, "\(most) in a second, \(rate) are allowed")
        testBed.findings.demand(testBed.outbound.checker.doubled == 0, "some came twice")
        testBed.findings.note(
            "\(count) emits, away \(absence.components.seconds) s; at most \(most) in a second of \(rate) allowed"
        )
    }

    /// Returns the maximum number of arrivals in any second, until all have arrived.
    private static func mostInASecond(_ testBed: TestBed, until count: Int) throws -> Int {
        var samples: [(at: ContinuousClock.Instant, sightings: Int)] = []
        var most = 0
        _ = try testBed.wait(whileChanging: { testBed.outbound.sightings }) {
            let (now, sightings) = (ContinuousClock.now, testBed.outbound.sightings)
            samples.append((now, sightings))
            samples.removeAll { $0.at + .seconds(1) < now }
            most = max(most, sightings - (samples.first?.sightings ?? 0))
            return sightings >= count
        }
        return most
    }
}
