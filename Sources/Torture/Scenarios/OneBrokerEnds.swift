internal import FaultKit

/// F35: one of two connections ends for good, because another client takes over the session. The daemon disconnects from
/// the other broker in order and exits at once with its code, instead of serving one broker only.
enum OneBrokerEnds {
    private static let configurationError: Int32 = 78

    static func run(_ testBed: TestBed) throws {
        let broker = try testBed.broker()
        let receiver = try testBed.receiver(at: broker)
        var slowest = Duration.zero
        let times = testBed.options.extent(2, 10)
        for _ in 0..<times { slowest = max(slowest, try life(testBed, broker)) }
        testBed.findings.demand(slowest <= .seconds(5), "it took \(slowest)")
        // The next life publishes the messages that are stored and not yet published.
        let installation = try testBed.installation(port: broker.port)
        let daemon = try testBed.start(installation)
        try testBed.drain()
        try testBed.close(daemon, of: installation)
        receiver.end()
        testBed.findings.note("\(times) × exit 78, \(Int(slowest.inSeconds * 1_000)) ms at most")
    }

    private static func life(_ testBed: TestBed, _ broker: MosquittoBroker) throws -> Duration {
        let (listener, port) = try Socket.listening()
        defer { listener.close() }
        let installation = try testBed.installation(port: broker.port)
        installation.configuration.otherPort = port
        let daemon = try testBed.begin(installation, feeding: .init(rate: testBed.options.rate / 4, size: 64))
        guard try testBed.wait(upTo: .seconds(10), until: { listener.isReadable(within: .milliseconds(5)) }),
            let peer = listener.accepted()
        else { throw Failure("the daemon did not connect to its other broker") }
        defer { peer.close() }
        let hasAsked = try testBed.wait(upTo: .seconds(10)) {
            if case .bytes = peer.receive(atMost: 4_096) { true } else { false }
        }
        testBed.findings.demand(hasAsked, "no CONNECT came to the other broker")
        _ = try? peer.sendNow([0x20, 3, 0, 0, 0])
        try testBed.ready(daemon)
        try testBed.pause(testBed.random.milliseconds(100...500))
        let begin = ContinuousClock.now
        // DISCONNECT: session taken over (MQTT 5, section 3.14.2.1).
        _ = try? peer.sendNow([0xE0, 2, 0x8E, 0])
        let ending = daemon.ended(within: .seconds(20))
        testBed.findings.demand(
            ending == .exited(configurationError),
            "the other broker ended for good, and the daemon: \(ending?.description ?? "it runs")"
        )
        let time = ContinuousClock.now - begin
        if ending == nil { daemon.kill() }
        return time
    }
}
