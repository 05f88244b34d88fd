/// Through a real mosquitto, from a publisher that is faster than it to one async listener.
struct BrokerBenchmark {
    let effort: Effort
    let version: Int

    private static let peers: [Peer] = [
        .loopForever, .ownLoop, .pahoC, .pahoPython, .plainBridge, .bridge, .immediateBridge,
    ]

    func run() -> BenchmarkResult {
        var result = BenchmarkResult(
            "Through a real mosquitto, \(protocolName(version))",
            reference: "“\(Peer.loopForever.rawValue)”",
            effort: effort
        )
        for qos in 0...1 {
            let comparison = Comparison(
                condition: "QoS \(qos)",
                quantities: [.messagesPerSecond, .processorMicroseconds, .droppedPercent],
                contenders: effort.choose(Self.peers).map { contender($0, qos: qos) },
                effort: effort
            )
            result.rows += comparison.rows()
        }
        return result
    }

    private func contender(_ peer: Peer, qos: Int) -> Comparison.Contender {
        let hasTargets = peer == .bridge || peer == .immediateBridge
        let targets: [Metric: Target] =
            hasTargets ? [.messagesPerSecond: .atLeast(0.95), .processorMicroseconds: .atMost(1.3)] : [:]
        return Comparison.Contender(program: peer.rawValue, targets: targets) { messages in
            let command = try peer.command(.in, version: version, qos: qos, messages: messages)
            return try Instrument(kind: .flood, version: version, qos: qos).run(command, messages: messages).sample
        }
    }
}
