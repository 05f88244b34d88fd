internal import FaultKit
internal import Glibc

/// F27: SIGHUP under load in both directions. There is no reload: the daemon keeps its connection and loses nothing.
enum HangUpSignal {
    static func run(_ testBed: TestBed) throws {
        let times = testBed.options.extent(20, 200)
        let broker = try testBed.broker()
        let receiver = try testBed.receiver(at: broker)
        let installation = try testBed.installation(port: broker.port)
        let load = Publisher.Load(rate: testBed.options.rate / 4, size: 64)
        let daemon = try testBed.start(installation, feeding: load)
        testBed.expectedAlive = daemon
        let publisher = try testBed.publisher(to: broker, load)
        for _ in 0..<times {
            try testBed.pause(testBed.random.milliseconds(1...60))
            testBed.findings.demand(daemon.child.signal(SIGHUP), "the daemon had ended before SIGHUP")
        }
        try testBed.settle(publisher)
        daemon.feeder?.end()
        try testBed.drain()
        let connections = daemon.notices("connected")
        testBed.findings.demand(connections == 1, "connected \(connections) times, not once")
        let doubled = testBed.inbound.checker.doubled + testBed.outbound.checker.doubled
        testBed.findings.demand(doubled == 0, "\(doubled) came twice")
        try testBed.close(daemon, of: installation)
        receiver.end()
        testBed.findings.note("\(times) × SIGHUP; it lives on, connected once")
    }
}
