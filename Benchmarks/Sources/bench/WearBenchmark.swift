import Foundation

/// What a durable message costs the medium, which wears: syncs and bytes, by the rate at which messages come.
struct WearBenchmark {
    let effort: Effort
    let version: Int

    /// As many bytes as a payload has.
    private static let payload = 100
    /// What comes before anything counts: names become known, and the file gets its pages.
    private static let warmUp = 150

    func run() -> BenchmarkResult {
        var result = BenchmarkResult("Wear: FULL, \(Self.payload) bytes, \(protocolName(version))", effort: once)
        for (kind, name) in [(Instrument.Kind.hose, "in"), (.sink, "out")] {
            for rate in [1, 10, 100, 1_000, nil] { result.rows += rows(kind, name, rate) }
        }
        return result
    }

    /// Counts hardly differ from one run to the next.
    private var once: Effort { Effort(repeats: 1, secondsPerRun: effort.isQuick ? 4 : 10, isQuick: effort.isQuick) }

    private func rows(_ kind: Instrument.Kind, _ name: String, _ rate: Int?) -> [BenchmarkResult.Row] {
        Comparison(
            condition: "\(name), \(rate.map { "\(Digits.grouped(Double($0)))/s" } ?? "as fast as it goes")",
            quantities: [.synchronizations, .writtenBytes],
            contenders: [
                // Beside strace some tens of thousands pass in a second.
                Comparison.Contender(program: "bridge", messages: Int(once.secondsPerRun) * (rate ?? 10_000)) {
                    try sample(kind, rate, messages: $0 + Self.warmUp)
                }
            ],
            effort: once
        ).rows()
    }

    private func sample(_ kind: Instrument.Kind, _ rate: Int?, messages: Int) throws -> Metric.Sample {
        try withTemporaryFolder { folder in
            let database = folder.appending(path: "store").path(percentEncoded: false)
            let trace = folder.appending(path: "trace")
            var options = ["payload": "\(Self.payload)"]
            if kind == .hose {
                options.merge(["window": "20", "topic": "home/%/temperature", "until": "acknowledged"]) { $1 }
                if let rate { options.merge(["rate": "\(rate)", "warm-up": "\(Self.warmUp)"]) { $1 } }
            }
            var command =
                MediumTrace.command(into: trace) + [
                    Programs.path("durable-bridge"), "--port", "{port}", "--database", database, "--synchronous",
                    "full", "--mqtt", "\(version)", "--messages", "\(messages)", "--warm-up", "\(Self.warmUp)",
                ]
            if kind == .sink {
                command += ["--emits", "--payload", "\(Self.payload)"]
                if let rate { command += ["--rate", "\(rate)"] }
            }
            let instrument = Instrument(kind: kind, version: version, qos: 1, options: options)
            _ = try instrument.run(command, messages: messages)
            let use = try MediumTrace(String(contentsOf: trace, encoding: .utf8), files: database)
            return [
                .synchronizations: Double(use.synchronizations) / Double(use.messages),
                .writtenBytes: Double(use.bytes) / Double(use.messages),
            ]
        }
    }
}
