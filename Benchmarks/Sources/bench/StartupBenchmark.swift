/// From the start of the program to its SUBSCRIBE at a broker on this machine.
struct StartupBenchmark {
    let effort: Effort
    let version: Int

    /// A start is short, and depends on what else the machine does.
    private var many: Effort { Effort(repeats: effort.repeats * 3, secondsPerRun: effort.secondsPerRun) }

    func run() -> BenchmarkResult {
        var result = BenchmarkResult(
            "From exec to subscribed, \(protocolName(version))",
            reference: "“mosquitto_sub”",
            effort: many
        )
        let protocolOption = version == 5 ? "mqttv5" : "mqttv311"
        let subscribe = ["/usr/bin/env", "mosquitto_sub", "-V", protocolOption, "-p", "{port}", "-t", "bench/#"]
        var contenders = [contender("mosquitto_sub") { subscribe }]
        for peer in effort.choose(Peer.usual) {
            contenders.append(
                contender(peer.rawValue, targets: peer == .bridge ? [.startMilliseconds: .atMost(10)] : [:]) {
                    try peer.command(.in, version: version, qos: 0, messages: 1)
                }
            )
        }
        let comparison = Comparison(
            condition: "subscribed",
            quantities: [.startMilliseconds],
            contenders: contenders,
            effort: many
        )
        result.rows = comparison.rows()
        return result
    }

    private func contender(
        _ program: String,
        targets: [Quantity: Target] = [:],
        command: @escaping () throws -> [String]
    ) -> Comparison.Contender {
        Comparison.Contender(program: program, messages: 0, targets: targets) { _ in
            let run = try Instrument(kind: .hose, version: version).run(try command(), messages: 0)
            return [.startMilliseconds: run.secondsToSubscribe * 1_000]
        }
    }
}
