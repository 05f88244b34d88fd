/// From the bus to the wire: a fake broker takes in as fast as its client sends.
struct OutBenchmark {
    let effort: Effort
    let version: Int

    private static let peers: [Peer] = [.loopForever, .pahoC, .pahoPython, .plainBridge, .bridge]

    func run() -> BenchmarkResult {
        var result = BenchmarkResult(
            "Out: emit to sink, \(protocolName(version))",
            reference: "“\(Peer.loopForever.rawValue)” (loop_start and mosquitto_publish)",
            effort: effort
        )
        for qos in 0...1 {
            let comparison = Comparison(
                condition: "QoS \(qos)",
                quantities: [.messagesPerSecond, .processorMicroseconds],
                contenders: effort.choose(Self.peers).map { peer in
                    let targets: [Metric: Target] = peer == .bridge ? [.messagesPerSecond: .atLeast(5)] : [:]
                    return Comparison.Contender(program: peer.rawValue, targets: targets) { messages in
                        let command = try peer.command(.out, version: version, qos: qos, messages: messages)
                        let sink = Instrument(kind: .sink, version: version, qos: qos)
                        return try sink.run(command, messages: messages).sample
                    }
                },
                effort: effort
            )
            result.rows += comparison.rows()
        }
        return result
    }
}
