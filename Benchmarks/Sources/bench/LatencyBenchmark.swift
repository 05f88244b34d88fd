/// There and back through a real mosquitto at 1,000 a second: in, a listener, an emit, and out again.
struct LatencyBenchmark {
    let effort: Effort
    let version: Int

    private static let peers: [Peer] = [
        .ownLoop, .loopForever, .pahoC, .pahoPython, .pythonIdea, .plainBridge, .bridge, .immediateBridge,
    ]
    private static let rate = 1_000

    func run() -> BenchmarkResult {
        var result = BenchmarkResult(
            "Latency: round trip through mosquitto at \(Self.rate) a second, QoS 0, \(protocolName(version))",
            reference: "“\(Peer.ownLoop.rawValue)”",
            effort: effort
        )
        let comparison = Comparison(
            condition: "echo",
            quantities: [.medianDelay, .ninetyNinthDelay],
            contenders: effort.choose(Self.peers).map(contender),
            effort: effort
        )
        result.rows = comparison.rows()
        return result
    }

    private func contender(_ peer: Peer) -> Comparison.Contender {
        let hasTargets = peer == .bridge || peer == .immediateBridge
        return Comparison.Contender(
            program: peer.rawValue,
            // For the 99th percentile to mean anything.
            messages: Int(Double(Self.rate) * max(0.7, effort.secondsPerRun * 4)),
            targets: hasTargets ? [.medianDelay: .atMost(1.2), .ninetyNinthDelay: .atMost(1.5)] : [:]
        ) { messages in
            let command = try peer.command(.echo, version: version, qos: 0, messages: messages)
            let ping = Instrument(kind: .ping, version: version, options: ["rate": "\(Self.rate)"])
            let delay = try ping.run(command, messages: messages).delayMicroseconds
            return [.medianDelay: delay.median, .ninetyNinthDelay: delay.ninetyNinth]
        }
    }
}
