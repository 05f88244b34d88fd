/// What a flood on one topic does to the messages of another, quiet one: to a listener each, over one connection.
struct FairnessBenchmark {
    let effort: Effort
    let version: Int

    private static let rate = 1_000

    /// What the other topic does meanwhile.
    private struct Load {
        let name: String
        var isFlooding = true
        var qos = 0
        /// How long the listener of the flood computes for each event, in microseconds.
        var computing = 0
        /// How long it waits for something else, in microseconds.
        var waiting = 0
        /// What may wait in the broker's socket, in bytes: little, as it is not the bridge's; 0 for what the system lets.
        var sendBuffer = 8_192
    }

    private static let loads = [
        Load(name: "no flood", isFlooding: false),
        Load(name: "flood at QoS 0"),
        Load(name: "flood at QoS 0, the broker's socket full", sendBuffer: 0),
        Load(name: "flood at QoS 1", qos: 1),
        Load(name: "flood at QoS 1, each event waits 100 µs", qos: 1, waiting: 100),
        Load(name: "flood at QoS 1, each event computes 100 µs", qos: 1, computing: 100),
        Load(name: "flood at QoS 0, each event computes 100 µs", computing: 100),
    ]

    func run() -> BenchmarkResult {
        var result = BenchmarkResult(
            "Fairness: a quiet topic of \(Self.rate) messages a second beside a flood, \(protocolName(version))",
            reference: "“\(Self.loads[0].name)”",
            effort: effort.brief
        )
        let comparison = Comparison(
            condition: "quiet topic",
            quantities: [.medianDelay, .ninetyNinthDelay, .maximumDelay, .floodPerSecond],
            contenders: Self.loads.map(contender),
            effort: effort.brief
        )
        result.rows = comparison.rows()
        return result
    }

    private func contender(_ load: Load) -> Comparison.Contender {
        Comparison.Contender(
            program: load.name,
            // A second: for the 99th percentile to mean anything.
            messages: Self.rate,
            targets: load.sendBuffer > 0 ? [.ninetyNinthDelay: .below(10_000)] : [:]
        ) { messages in
            let peer = try Peer.bridge.command(.quiet, version: version, qos: load.qos, messages: messages)
            let options = [
                "rate": "\(Self.rate)", "flood": load.isFlooding ? "on" : "off", "send-buffer": "\(load.sendBuffer)",
            ]
            let instrument = Instrument(kind: .fairness, version: version, qos: load.qos, options: options)
            let costs = ["--computing", "\(load.computing)", "--waiting", "\(load.waiting)"]
            let run = try instrument.run(peer + costs, messages: messages)
            return [
                .medianDelay: run.delayMicroseconds.median,
                .ninetyNinthDelay: run.delayMicroseconds.ninetyNinth,
                .maximumDelay: run.delayMicroseconds.maximum,
                .floodPerSecond: run.messages / run.seconds,
            ]
        }
    }
}
