internal import FaultKit
internal import Glibc

/// F27: SIGHUP under load in both directions. There is no reload: the daemon lives on with its connection, and loses nothing.
enum HangUpSignal {
    static func run(_ bench: Bench) throws {
        let times = bench.options.extent(20, 200)
        let broker = try bench.broker()
        let receiver = try bench.receiver(at: broker)
        let installation = try bench.installation(port: broker.port)
        let load = Publisher.Load(rate: bench.options.rate / 4, size: 64)
        let daemon = try bench.start(installation, feeding: load)
        bench.expectedAlive = daemon
        let publisher = try bench.publisher(to: broker, load)
        for _ in 0..<times {
            try bench.pause(bench.random.milliseconds(1...60))
            bench.findings.demand(daemon.child.signal(SIGHUP), "the daemon had ended before SIGHUP")
        }
        try bench.settle(publisher)
        daemon.feeder?.end()
        try bench.drain()
        let connections = daemon.notices("connected")
        bench.findings.demand(connections == 1, "connected \(connections) times, not once")
        let doubled = bench.inbound.checker.doubled + bench.outbound.checker.doubled
        bench.findings.demand(doubled == 0, "\(doubled) came twice")
        try bench.close(daemon, of: installation)
        receiver.end()
        bench.findings.note("\(times) × SIGHUP; it lives on, connected once")
    }
}
