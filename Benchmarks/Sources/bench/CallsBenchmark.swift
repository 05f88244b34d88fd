/// System calls of each message, counted by strace.
struct CallsBenchmark {
    let effort: Effort
    let version: Int

    private static let peers: [Peer] = [.loopForever, .ownLoop, .plainBridge, .bridge]

    func run() -> BenchmarkResult {
        var result = BenchmarkResult(
            "System calls per message, \(protocolName(version))",
            reference: "“\(Peer.loopForever.rawValue)”",
            effort: effort.counting
        )
        for (qos, limit) in [(0, 0.2), (1, 0.3)] {
            result.rows += rows("hose", .hose, qos, [.systemCalls: .below(limit)], Self.peers)
        }
        for qos in 0...1 { result.rows += rows("sink", .sink, qos, [:], Self.peers.filter { $0 != .ownLoop }) }
        return result
    }

    private func rows(
        _ condition: String,
        _ kind: Instrument.Kind,
        _ qos: Int,
        _ targets: [Metric: Target],
        _ peers: [Peer]
    ) -> [BenchmarkResult.Row] {
        Comparison(
            condition: "\(condition), QoS \(qos)",
            quantities: [.systemCalls],
            contenders: peers.map { peer in
                Comparison.Contender(
                    program: peer.rawValue,
                    // strace makes each call slow; where there are few, more messages are needed to see them.
                    messages: peer == .bridge ? 20_000 : 1_000,
                    targets: peer == .bridge ? targets : [:]
                ) { messages in
                    let counting = Counting(kind: kind, peer: peer, version: version, qos: qos)
                    return [.systemCalls: try counting.systemCalls(messages)]
                }
            },
            effort: effort.counting
        ).rows()
    }
}
