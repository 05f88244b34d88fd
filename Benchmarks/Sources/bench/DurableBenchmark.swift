/// Durable QoS 1 in: how fast messages are committed and acknowledged, beside a C program of the same design.
struct DurableBenchmark {
    let effort: Effort
    let version: Int

    func run() -> BenchmarkResult {
        var result = BenchmarkResult(
            "Durable QoS 1 in, \(protocolName(version))",
            reference: "“\(DurableClient.insert.rawValue)”",
            effort: effort
        )
        for window in [20, 200] {
            for synchronous in ["full", "normal"] {
                let comparison = Comparison(
                    condition: "window \(window), \(synchronous.uppercased())",
                    quantities: [.messagesPerSecond, .processorMicroseconds, .acknowledgementsPerRead],
                    contenders: DurableClient.allCases.map { contender($0, window, synchronous) },
                    effort: effort
                )
                result.rows += comparison.rows()
            }
        }
        return result
    }

    private func contender(_ client: DurableClient, _ window: Int, _ synchronous: String) -> Comparison.Contender {
        Comparison.Contender(
            program: client.rawValue,
            targets: client == .bridge ? [.messagesPerSecond: .atLeast(0.9)] : [:]
        ) { messages in
            try client.sample(version: version, window: window, synchronous: synchronous, messages: messages)
        }
    }
}
