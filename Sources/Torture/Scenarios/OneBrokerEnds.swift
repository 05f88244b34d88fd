internal import FaultKit

/// F35: one of two brokers ends for good, by handing the session to another client. The daemon leaves the other one in
/// order and exits with its code at once: it does not live on half dead.
enum OneBrokerEnds {
    private static let configurationError: Int32 = 78

    static func run(_ bench: Bench) throws {
        let broker = try bench.broker()
        let receiver = try bench.receiver(at: broker)
        var slowest = Duration.zero
        let times = bench.options.extent(2, 10)
        for _ in 0..<times { slowest = max(slowest, try life(bench, broker)) }
        bench.findings.demand(slowest <= .seconds(5), "it took \(slowest)")
        // What was stored and not published yet goes out in the next life.
        let installation = try bench.installation(port: broker.port)
        let daemon = try bench.start(installation)
        try bench.drain()
        try bench.close(daemon, of: installation)
        receiver.end()
        bench.findings.note("\(times) × exit 78, \(Int(slowest.inSeconds * 1_000)) ms at most")
    }

    private static func life(_ bench: Bench, _ broker: MosquittoBroker) throws -> Duration {
        let (listener, port) = try Socket.listening()
        defer { listener.close() }
        let installation = try bench.installation(port: broker.port)
        installation.configuration.otherPort = port
        let daemon = try bench.begin(installation, feeding: .init(rate: bench.options.rate / 4, size: 64))
        guard try bench.wait(upTo: .seconds(10), until: { listener.isReadable(within: .milliseconds(5)) }),
            let peer = listener.accepted()
        else { throw Failure("the daemon did not connect to its other broker") }
        defer { peer.close() }
        let hasAsked = try bench.wait(upTo: .seconds(10)) {
            if case .bytes = peer.receive(atMost: 4_096) { true } else { false }
        }
        bench.findings.demand(hasAsked, "no CONNECT came to the other broker")
        _ = try? peer.sendNow([0x20, 3, 0, 0, 0])
        try bench.ready(daemon)
        try bench.pause(bench.random.milliseconds(100...500))
        let begin = ContinuousClock.now
        // DISCONNECT: session taken over (MQTT 5, section 3.14.2.1).
        _ = try? peer.sendNow([0xE0, 2, 0x8E, 0])
        let ending = daemon.ended(within: .seconds(20))
        bench.findings.demand(
            ending == .exited(configurationError),
            "the other broker ended for good, and the daemon: \(ending?.description ?? "it runs")"
        )
        let time = ContinuousClock.now - begin
        if ending == nil { daemon.kill() }
        return time
    }
}
