internal import FaultKit

/// F40: the broker is away, and emitted events fill a small file system. When the broker is back, everything drains without
/// intervention, even after a kill on the full file system, and no message with a `stored` receipt is lost.
enum FullOfBacklog {
    private static let megabytes = 16
    private static let payload = 4_096

    static func run(_ testBed: TestBed) throws {
        let times = testBed.options.extent(1, 10)
        let broker = try testBed.broker()
        let proxy = try testBed.proxy(to: broker)
        let receiver = try testBed.receiver(at: broker)
        let installation = try testBed.installation(port: proxy.port)
        let disk = try testBed.smallDisk(for: installation, megabytes: megabytes)
        let load = Publisher.Load(rate: 4 * testBed.options.rate, size: payload)
        var most = 0
        for _ in 0..<times {
            for isKilled in [false, true] {
                proxy.mode = .reset
                var daemon = try testBed.begin(installation, feeding: load)
                let stored = try fill(daemon, installation, testBed)
                most = max(most, stored)
                testBed.findings.demand(disk.free < 1 << 20, "\(disk.free >> 10) KiB are free when nothing is stored")
                daemon.feeder?.isFeeding = false
                if isKilled {
                    testBed.findings.demand(daemon.kill(), "the daemon had ended on a full file system")
                    proxy.mode = .forward
                    daemon = try testBed.start(installation)
                } else {
                    proxy.mode = .forward
                }
                // Lines that wait for space are stored and published in the end as well.
                let isDrained = try testBed.wait(whileChanging: { testBed.outbound.sightings }) {
                    testBed.outbound.isComplete && (isKilled || daemon.feeder?.published == daemon.feeder?.lines)
                }
                let missing = testBed.outbound.checker.missing
                testBed.findings.demand(isDrained, "\(missing) messages do not drain")
                daemon.feeder?.end()
                try testBed.close(daemon, of: installation)
            }
        }
        try testBed.drain()
        receiver.end()
        testBed.findings.note("\(2 * times) × full with \(megabytes) MiB, \(most) messages stored at most; drained")
    }

    /// Waits until no more `stored` receipts arrive. Returns their number.
    private static func fill(_ daemon: Daemon, _ installation: Installation, _ testBed: TestBed) throws -> Int {
        var (last, since) = (-1, ContinuousClock.now)
        let isFull = try testBed.wait(upTo: .seconds(30)) {
            let stored = daemon.feeder?.stored ?? 0
            if stored != last { (last, since) = (stored, .now) }
            return stored > 0 && daemon.notices("storefailed") > 0 && since + .milliseconds(700) < .now
        }
        testBed.findings.demand(isFull, "the file system is not full after 30 s")
        testBed.findings.demand(last * payload > megabytes << 18, "only \(last) messages filled it")
        return last
    }
}
