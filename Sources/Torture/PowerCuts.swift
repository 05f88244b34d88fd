internal import FaultKit
internal import Foundation
internal import StoreTesting

/// Tries what power cuts leave of a store, on a record of its medium: no broker and no daemon take part.
package struct PowerCuts: Sendable {
    private let seed: UInt64
    private let images: Int

    /// - Parameter images: How many different outcomes of power cuts are opened.
    package init(seed: UInt64, images: Int) {
        (self.seed, self.images) = (seed, images)
    }

    /// - Throws: `CancellationError`, and why images cannot be made.
    package func run() async throws -> PowerCutReport {
        let begin = ContinuousClock.now
        let outcome = try await PowerCutRun(seed: seed, images: images).run()
        return PowerCutReport(
            images: outcome.images,
            moments: outcome.moments,
            violations: outcome.violations,
            violation: outcome.violation?.description,
            seconds: (ContinuousClock.now - begin).inSeconds,
            seed: seed
        )
    }
}

/// What ``PowerCuts`` found.
package struct PowerCutReport: Sendable, Hashable {
    /// How many images were opened.
    package var images: Int
    /// How many moments they are of.
    package var moments: Int
    /// How many of them the promise does not allow.
    package var violations: Int
    /// The first of these, in steps, and how to repeat it.
    package var violation: String?
    /// How long it took.
    package var seconds: Double
    /// What repeats it.
    package var seed: UInt64

    /// Whether the promise held.
    package var held: Bool { violations == 0 }

    /// A report.
    package init(images: Int, moments: Int, violations: Int, violation: String?, seconds: Double, seed: UInt64) {
        self.images = images
        self.moments = moments
        self.violations = violations
        self.violation = violation
        self.seconds = seconds
        self.seed = seed
    }

    /// As it is printed.
    package func text(_ format: ReportFormat) -> String {
        let seconds = String(format: "%.1f", seconds)
        switch format {
        case .text:
            let counts = "\(images) images of \(moments) moments, \(violations) violations"
            let line = "F32 power cut: \(counts), \(seconds) s, seed \(seed): \(held ? "held" : "broken")"
            return violation.map { "\(line)\n\($0)" } ?? line
        case .json:
            let more = violation.map { ",\"violation\":\(ReportFormat.quoted($0))" } ?? ""
            return """
                {"scenario":"F32","images":\(images),"moments":\(moments),"violations":\(violations),\
                "seconds":\(seconds),"seed":\(seed),"ok":\(held)\(more)}
                """
        case .markdown:
            let table = """
                | scenario | images | moments | violations | seconds | seed | verdict |
                |---|--:|--:|--:|--:|--:|---|
                | F32 power cut | \(images) | \(moments) | \(violations) | \(seconds) | \(seed) | \(held ? "held" : "broken") |
                """
            return violation.map { "\(table)\n\n```\n\($0)\n```" } ?? table
        }
    }
}
