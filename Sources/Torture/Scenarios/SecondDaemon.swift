internal import FaultKit

/// F23: a second daemon on the same store must not start, and must not harm the first.
enum SecondDaemon {
    static func run(_ testBed: TestBed) throws {
        let broker = try testBed.broker()
        let receiver = try testBed.receiver(at: broker)
        let installation = try testBed.installation(port: broker.port)
        let load = Publisher.Load(rate: testBed.options.rate / 4, size: 64)
        let first = try testBed.start(installation, feeding: load)
        testBed.expectedAlive = first
        let publisher = try testBed.publisher(to: broker, load)
        for _ in 0..<testBed.options.extent(3, 20) {
            let second = try testBed.begin(installation)
            let hasEnded = try testBed.wait(upTo: .seconds(10)) { second.child.exitStatus != nil }
            let ending = second.child.exitStatus
            second.kill()
            testBed.findings.demand(hasEnded, "the second daemon came up")
            testBed.findings.demand(
                ending == .exited(73),
                "the second daemon ended with \(ending?.description ?? "nothing")"
            )
            testBed.findings.demand(
                second.complaints.contains(String(first.child.processID)),
                "the second daemon does not name the first: \(second.complaints.prefix(200))"
            )
        }
        try testBed.settle(publisher)
        first.feeder?.end()
        try testBed.drain()
        testBed.findings.demand(first.notices("connected") == 1, "the first daemon lost its connection")
        try testBed.close(first, of: installation)
        receiver.end()
        testBed.findings.note("\(testBed.options.extent(3, 20)) refused, each naming the first")
    }
}
