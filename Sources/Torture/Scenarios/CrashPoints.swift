internal import FaultKit
internal import Glibc

/// F3: the bridge kills itself at named points of its way from the socket to the store and on, and back.
enum CrashPoints {
    private static let inboundPoints = ["after-read", "before-commit", "after-commit", "before-write", "after-write"]
    private static let outboundPoints = ["before-commit", "after-commit", "after-puback"]

    static func run(_ bench: Bench) throws {
        let times = bench.options.extent(2, 20)
        let broker = try bench.broker(.init(inFlight: 50))
        let receiver = try bench.receiver(at: broker)
        let installation = try bench.installation(port: broker.port)
        // The session must be there before the first message is.
        bench.findings.demand(try bench.start(installation).kill(), "the first daemon ended by itself")

        let load = Publisher.Load(rate: bench.options.rate, size: 64)
        let publisher = try bench.publisher(to: broker, load)
        for point in inboundPoints { try hit(point, "in", times, installation, feeding: nil, bench) }
        try bench.settle(publisher)
        for point in outboundPoints { try hit(point, "out", times, installation, feeding: load, bench) }

        let daemon = try bench.start(installation)
        try bench.drain(upTo: .seconds(120))
        try bench.close(daemon, of: installation)
        receiver.end()
        let points = inboundPoints.map { "in \($0)" } + outboundPoints.map { "out \($0)" }
        bench.findings.note("\(times) × each of \(points.joined(separator: ", "))")
    }

    private static func hit(
        _ point: String,
        _ direction: String,
        _ times: Int,
        _ installation: Installation,
        feeding load: Publisher.Load?,
        _ bench: Bench
    ) throws {
        for _ in 0..<times {
            let passing = Int.random(in: 1...20, using: &bench.random)
            let daemon = try bench.begin(installation, feeding: load, crashPoint: "\(point):\(passing)")
            let hasEnded = try bench.wait(upTo: .seconds(20)) { daemon.child.exitStatus != nil }
            let ending = daemon.child.exitStatus
            daemon.kill()
            guard hasEnded, ending == .signalled(SIGKILL) else {
                bench.findings.demand(
                    false,
                    "crash point \(direction) \(point):\(passing) was not hit (\(ending?.description ?? "no end"))"
                )
                return
            }
        }
    }
}
