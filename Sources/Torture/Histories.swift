internal import FaultKit
internal import Foundation
internal import Simulation

/// Carries histories out with the real bridge between simulated brokers, on a simulated store: crashes, cuts, restarts,
/// refusals and failures of the store in an order that a seed determines.
///
/// To be run by a process that does nothing else, with the environment variable ``hashing`` set, or histories are not
/// repeated to the letter.
package struct Histories: Sendable {
    /// The environment variable that lets sets and dictionaries hash alike in each run.
    package static let hashing = "SWIFT_DETERMINISTIC_HASHING"

    private let seed: UInt64
    private let count: Int

    /// - Parameters:
    ///   - seed: That of the first history; the others have the numbers that follow.
    ///   - count: How many histories are carried out.
    package init(seed: UInt64, count: Int) {
        (self.seed, self.count) = (seed, count)
    }

    /// Ends with the first history in which the promise does not hold, cut down to its shortest form.
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

/// What ``Histories`` found.
package struct HistoryReport: Sendable, Hashable {
    /// How many histories were carried out.
    package var histories: Int
    /// How many pieces of work they had in all.
    package var steps: Int
    /// The shortest form of the history in which the promise did not hold, and what did not hold; nil if there is none.
    package var failure: String?
    /// How long it took.
    package var seconds: Double
    /// That of the first history.
    package var seed: UInt64

    /// Whether the promise held.
    package var held: Bool { failure == nil }

    /// As it is printed.
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
