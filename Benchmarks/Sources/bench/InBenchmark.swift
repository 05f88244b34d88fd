/// From the wire to one async listener: a fake broker sends as fast as its client takes it.
struct InBenchmark {
    let effort: Effort
    let version: Int

    func run() -> BenchmarkResult {
        var result = BenchmarkResult(
            "In: hose to one async listener, \(protocolName(version))",
            reference: "“\(Peer.loopForever.rawValue)”",
            effort: effort
        )
        for qos in 0...1 {
            let comparison = Comparison(
                condition: "QoS \(qos)",
                quantities: [.messagesPerSecond, .processorMicroseconds, .droppedPercent],
                contenders: effort.choose(Peer.usual).map { contender($0, qos: qos) },
                effort: effort
            )
            result.rows += comparison.rows()
        }
        return result
    }

    private func contender(_ peer: Peer, qos: Int) -> Comparison.Contender {
        let targets: [Metric: Target] =
            switch (peer, qos) {
            case (.bridge, 0): [.messagesPerSecond: .atLeast(4), .processorMicroseconds: .atMost(0.35)]
            case (.bridge, _): [.messagesPerSecond: .atLeast(8)]
            default: [:]
            }
        return Comparison.Contender(program: peer.rawValue, targets: targets) { messages in
            let command = try peer.command(.in, version: version, qos: qos, messages: messages)
            return try Instrument(kind: .hose, version: version, qos: qos).run(command, messages: messages).sample
        }
    }
}

/// For titles.
func protocolName(_ version: Int) -> String { version == 5 ? "MQTT 5" : "MQTT 3.1.1" }
