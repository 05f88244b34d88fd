import Foundation

/// Finding who wants an event, among 10,000 patterns.
struct MatchBenchmark {
    let effort: Effort

    func run() -> BenchmarkResult {
        var result = BenchmarkResult("Wildcard match, 10,000 patterns", reference: "“C++ trie”", effort: effort)
        // The bus keeps fewer names than there are topics here: each is new to it.
        result.rows += rows("topic not seen before", "unseen", target: .atMost(2))
        result.rows += rows("topic seen before; of the bus the whole emit", "seen", target: nil)
        return result
    }

    private func rows(_ condition: String, _ key: String, target: Target?) -> [BenchmarkResult.Row] {
        Comparison(
            condition: condition,
            quantities: [.nanosecondsPerTopic],
            contenders: [
                contender("C++ trie", "trie", key, [:]),
                contender("AsyncEventBus", "matcher", key, target.map { [.nanosecondsPerTopic: $0] } ?? [:]),
            ],
            effort: effort
        ).rows()
    }

    private func contender(
        _ title: String,
        _ program: String,
        _ key: String,
        _ targets: [Metric: Target]
    ) -> Comparison.Contender {
        Comparison.Contender(program: title, messages: 10_000, targets: targets) { topics in
            let output = try Programs.output(of: Programs.path(program), ["10000", "\(topics)", "50"])
            return [.nanosecondsPerTopic: try JSONDecoder().decode([String: Double].self, from: output)[key] ?? .nan]
        }
    }
}
