internal import FaultKit

/// F23: a second daemon on the same store must not come up, and must not harm the first.
enum SecondDaemon {
    static func run(_ bench: Bench) throws {
        let broker = try bench.broker()
        let receiver = try bench.receiver(at: broker)
        let installation = try bench.installation(port: broker.port)
        let load = Publisher.Load(rate: bench.options.rate / 4, size: 64)
        let first = try bench.start(installation, feeding: load)
        bench.expectedAlive = first
        let publisher = try bench.publisher(to: broker, load)
        for _ in 0..<bench.options.extent(3, 20) {
            let second = try bench.begin(installation)
            let hasEnded = try bench.wait(upTo: .seconds(10)) { second.child.exitStatus != nil }
            let ending = second.child.exitStatus
            second.kill()
            bench.findings.demand(hasEnded, "the second daemon came up")
            bench.findings.demand(
                ending == .exited(73),
                "the second daemon ended with \(ending?.description ?? "nothing")"
            )
            bench.findings.demand(
                second.complaints.contains(String(first.child.processID)),
                "the second daemon does not name the first: \(second.complaints.prefix(200))"
            )
        }
        try bench.settle(publisher)
        first.feeder?.end()
        try bench.drain()
        bench.findings.demand(first.notices("connected") == 1, "the first daemon lost its connection")
        try bench.close(first, of: installation)
        receiver.end()
        bench.findings.note("\(bench.options.extent(3, 20)) refused, each naming the first")
    }
}
