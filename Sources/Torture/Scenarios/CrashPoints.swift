internal import FaultKit
internal import Glibc

/// F3: the bridge kills itself at named points of the inbound and the outbound path.
enum CrashPoints {
    private static let inboundPoints = ["after-read", "before-commit", "after-commit", "before-write", "after-write"]
    private static let outboundPoints = ["before-commit", "after-commit", "after-puback"]

    static func run(_ testBed: TestBed) throws {
        let times = testBed.options.extent(2, 20)
        let broker = try testBed.broker(.init(inFlight: 50))
        let receiver = try testBed.receiver(at: broker)
        let installation = try testBed.installation(port: broker.port)
        // The session must exist before the first message.
        testBed.findings.demand(try testBed.start(installation).kill(), "the first daemon ended by itself")

        let load = Publisher.Load(rate: testBed.options.rate, size: 64)
        let publisher = try testBed.publisher(to: broker, load)
        for point in inboundPoints { try hit(point, "in", times, installation, feeding: nil, testBed) }
        try testBed.settle(publisher)
        for point in outboundPoints { try hit(point, "out", times, installation, feeding: load, testBed) }

        let daemon = try testBed.start(installation)
        try testBed.drain()
        try testBed.close(daemon, of: installation)
        receiver.end()
        let points = inboundPoints.map { "in \($0)" } + outboundPoints.map { "out \($0)" }
        testBed.findings.note("\(times) × each of \(points.joined(separator: ", "))")
    }

    private static func hit(
        _ point: String,
        _ direction: String,
        _ times: Int,
        _ installation: Installation,
        feeding load: Publisher.Load?,
        _ testBed: TestBed
    ) throws {
        for _ in 0..<times {
            let passing = Int.random(in: 1...20, using: &testBed.random)
            let daemon = try testBed.begin(installation, feeding: load, crashPoint: "\(point):\(passing)")
            let hasEnded = try testBed.wait(upTo: .seconds(20)) { daemon.child.exitStatus != nil }
            let ending = daemon.child.exitStatus
            daemon.kill()
            guard hasEnded, ending == .signalled(SIGKILL) else {
                testBed.findings.demand(
                    false,
                    "crash point \(direction) \(point):\(passing) was not hit (\(ending?.description ?? "no end"))"
                )
                return
            }
        }
    }
}
