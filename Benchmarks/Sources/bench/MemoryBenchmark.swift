/// What is in memory: idle, after millions of messages, after a million topics.
struct MemoryBenchmark {
    let effort: Effort
    let version: Int

    func run() -> BenchmarkResult {
        var result = BenchmarkResult(
            "Memory, in, QoS 0, \(protocolName(version))",
            reference: "“\(Peer.loopForever.rawValue)”",
            effort: once
        )
        let messages = effort.isQuick ? 1_000_000 : 10_000_000
        result.rows += rows("\(messages / 1_000_000) million messages", topics: 1, messages, [.bridge])
        let topics = effort.isQuick ? 200_000 : 1_000_000
        let condition = "\(Digits.grouped(Double(topics))) topics"
        result.rows += rows(condition, topics: topics, topics, [.loopForever, .bridge])
        return result
    }

    /// Pages come and go; a leak of a byte for each of ten million messages would be 9 MiB. Of fewer messages or topics a
    /// tenth does not yet fill the caches.
    private var targets: [Metric: Target] {
        effort.isQuick ? [.idleMebibytes: .below(25)] : [.idleMebibytes: .below(25), .grownMebibytes: .below(4)]
    }

    private var once: Effort { Effort(repeats: 1, secondsPerRun: effort.secondsPerRun) }

    private func rows(
        _ condition: String,
        topics: Int,
        _ messages: Int,
        _ peers: [Peer]
    ) -> [BenchmarkResult.Row] {
        Comparison(
            condition: condition,
            quantities: [.idleMebibytes, .warmMebibytes, .endMebibytes, .grownMebibytes],
            contenders: peers.map { peer in
                Comparison.Contender(
                    program: peer.rawValue,
                    messages: messages,
                    targets: peer == .bridge ? targets : [:]
                ) { messages in
                    let hose = Instrument(kind: .hose, version: version, options: ["topics": "\(topics)"])
                    let command = try peer.command(.in, version: version, qos: 0, messages: messages)
                    let resident = try hose.run(command, messages: messages).residentKibibytes
                    var sample: Metric.Sample = [
                        .idleMebibytes: resident.idle / 1_024,
                        .warmMebibytes: resident.warm / 1_024,
                    ]
                    // A program that ends at once is gone before it can be looked at.
                    if resident.end > 0 {
                        sample[.endMebibytes] = resident.end / 1_024
                        sample[.grownMebibytes] = (resident.end - resident.warm) / 1_024
                    }
                    return sample
                }
            },
            effort: once
        ).rows()
    }
}
