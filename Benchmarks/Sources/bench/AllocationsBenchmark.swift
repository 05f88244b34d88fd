/// Allocations of each message that comes in, counted by a library that is loaded into the program.
struct AllocationsBenchmark {
    let effort: Effort
    let version: Int

    func run() -> BenchmarkResult {
        var result = BenchmarkResult(
            "Allocations per message, in, one topic, \(protocolName(version))",
            reference: "“\(Peer.loopForever.rawValue)”: what the library itself allocates",
            effort: effort.counting
        )
        for qos in 0...1 {
            let comparison = Comparison(
                condition: "hose, QoS \(qos)",
                quantities: [.allocations],
                contenders: [
                    contender(Peer.loopForever.rawValue) { try count(.loopForever, qos, $0) },
                    contender(Peer.plainBridge.rawValue) { try count(.plainBridge, qos, $0) },
                    contender(Peer.bridge.rawValue) { try count(.bridge, qos, $0) },
                    contender("bridge, beside the library's", [.allocations: .below(2)]) {
                        try count(.bridge, qos, $0) - count(.loopForever, qos, $0)
                    },
                ],
                effort: effort.counting
            )
            result.rows += comparison.rows()
        }
        return result
    }

    private func contender(
        _ program: String,
        _ targets: [Metric: Target] = [:],
        count: @escaping (_ messages: Int) throws -> Double
    ) -> Comparison.Contender {
        Comparison.Contender(program: program, messages: 20_000, targets: targets) { messages in
            [.allocations: try count(messages)]
        }
    }

    private func count(_ peer: Peer, _ qos: Int, _ messages: Int) throws -> Double {
        try Counting(kind: .hose, peer: peer, version: version, qos: qos).allocations(messages)
    }
}
