internal import FaultKit
internal import Foundation
internal import Simulation

/// Runs histories of the real bridge between simulated brokers, on a simulated store: crashes, cuts, restarts, refusals and
/// store failures in an order that a seed determines.
///
/// A history repeats exactly only in a process that does nothing else and has the environment variable ``hashing`` set.
package struct Histories: Sendable {
    /// The environment variable that makes sets and dictionaries hash alike in each run.
    package static let hashing = "SWIFT_DETERMINISTIC_HASHING"

    private let seed: UInt64
    private let count: Int

    /// - Parameters:
    ///   - seed: The seed of the first history; the next histories have the next numbers.
    ///   - count: The number of histories.
    package init(seed: UInt64, count: Int) {
        (self.seed, self.count) = (seed, count)
    }

    /// Runs the histories. Stops at the first one that breaks the promise, and reduces it to its shortest form.
    package func run() -> HistoryReport {
        let begin = ContinuousClock.now
        var steps = 0
        var failure: String?
        var done = 0
        for number in 0..<count where failure == nil {
            let history = History(seed: seed &+ UInt64(number))
            let result = HistoryRun.run(history)
            (done, steps) = (number + 1, steps + result.steps)
            if !result.breaches.isEmpty { failure = Self.describe(history) }
        }
        return HistoryReport(
            histories: done,
            steps: steps,
            failure: failure,
            seconds: (ContinuousClock.now - begin).inSeconds,
            seed: seed
        )
    }

    private static func describe(_ history: History) -> String {
        let shortest = history.shortened { !HistoryRun.run($0).breaches.isEmpty }
        let breaches = HistoryRun.run(shortest).breaches.prefix(10).map { "  \($0)" }.joined(separator: "\n")
        return "\(shortest)\n\(breaches)\nrepeat it: mqtt-bridge-torture --histories 1 --seed \(history.seed)"
    }
}

/// The result of ``Histories``.
package struct HistoryReport: Sendable, Hashable {
    /// The number of histories that ran.
    package var histories: Int
    /// The total number of steps.
    package var steps: Int
    /// The shortest form of the history that broke the promise, and its breaches; nil if there is none.
    package var failure: String?
    /// The duration in seconds.
    package var seconds: Double
    /// The seed of the first history.
    package var seed: UInt64

    /// Whether the promise held.
    package var held: Bool { failure == nil }

    /// Returns the report in a format.
    package func text(_ format: ReportFormat) -> String {
        let seconds = String(format: "%.1f", seconds)
        switch format {
        case .text:
            let line = "\(histories) histories, \(steps) steps, \(seconds) s, seed \(seed): \(held ? "held" : "broken")"
            return failure.map { "\(line)\n\($0)" } ?? line
        case .json:
            let more = failure.map { ",\"failure\":\(ReportFormat.quoted($0))" } ?? ""
            return """
                {"histories":\(histories),"steps":\(steps),"seconds":\(seconds),"seed":\(seed),"ok":\(held)\(more)}
                """
        case .markdown:
            let table = """
                | histories | steps | seconds | seed | verdict |
                |--:|--:|--:|--:|---|
                | \(histories) | \(steps) | \(seconds) | \(seed) | \(held ? "held" : "broken") |
                """
            return failure.map { "\(table)\n\n```\n\($0)\n```" } ?? table
        }
    }
}
