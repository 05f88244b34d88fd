import Foundation

/// From the start of the program to its SUBSCRIBE at a broker on this machine.
struct StartupBenchmark {
    let effort: Effort
    let version: Int

    /// A start is short, and depends on what else the machine does.
    private var many: Effort { Effort(repeats: effort.repeats * 3, secondsPerRun: effort.secondsPerRun) }

    func run() throws -> BenchmarkResult {
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
        for direction in ["inbound", "outbound"] { result.rows += try rows(waiting: direction) }
        return result
    }

    /// With a store in which many messages wait, beside an empty one.
    private func rows(waiting direction: String) throws -> [BenchmarkResult.Row] {
        let messages = effort.isQuick ? 100_000 : 1_000_000
        return try withTemporaryFolder { folder in
            let empty = folder.appending(path: "empty").path(percentEncoded: false)
            let full = folder.appending(path: "full").path(percentEncoded: false)
            return Comparison(
                condition: "subscribed, with a store",
                quantities: [.startMilliseconds, .startMebibytes],
                contenders: [
                    contender("no message waits") { durable(empty) },
                    contender(
                        "\(Digits.grouped(Double(messages))) wait \(direction)",
                        targets: [.startMilliseconds: .below(1_000)]
                    ) {
                        if !FileManager.default.fileExists(atPath: full) { try fill(full, direction, messages) }
                        return durable(full)
                    },
                ],
                effort: effort
            ).rows()
        }
    }

    private func fill(_ database: String, _ direction: String, _ messages: Int) throws {
        let arguments = ["--database", database, "--direction", direction, "--messages", "\(messages)"]
        _ = try Programs.output(of: Programs.path("store-filler"), arguments)
    }

    private func durable(_ database: String) -> [String] {
        [
            Programs.path("durable-bridge"), "--port", "{port}", "--database", database, "--synchronous", "full",
            "--mqtt", "\(version)", "--messages", "1",
        ]
    }

    private func contender(
        _ program: String,
        targets: [Metric: Target] = [:],
        command: @escaping () throws -> [String]
    ) -> Comparison.Contender {
        Comparison.Contender(program: program, messages: 0, targets: targets) { _ in
            let run = try Instrument(kind: .hose, version: version).run(try command(), messages: 0)
            return [
                .startMilliseconds: run.secondsToSubscribe * 1_000,
                .startMebibytes: run.residentKibibytes.peakAtSubscribe / 1_024,
            ]
        }
    }
}
