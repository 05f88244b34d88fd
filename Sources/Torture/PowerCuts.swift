internal import FaultKit
internal import Foundation
internal import StoreTesting

/// Tests the possible outcomes of power cuts on a recorded medium of a store, without broker and daemon.
package struct PowerCuts: Sendable {
    private let seed: UInt64
    private let images: Int

    /// - Parameter images: The number of different outcomes of power cuts to open.
    package init(seed: UInt64, images: Int) {
        (self.seed, self.images) = (seed, images)
    }

    /// - Throws: `CancellationError`, or the reason why images cannot be made.
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

/// The result of ``PowerCuts``.
package struct PowerCutReport: Sendable, Hashable {
    /// The number of images that were opened.
    package var images: Int
    /// The number of moments that the images show.
    package var moments: Int
    /// The number of images that break the promise.
    package var violations: Int
    /// The first violation, as steps, and the command that repeats it.
    package var violation: String?
    /// The duration in seconds.
    package var seconds: Double
    /// The seed.
    package var seed: UInt64

    /// Whether the promise held.
    package var held: Bool { violations == 0 }

    /// Creates a report.
    package init(images: Int, moments: Int, violations: Int, violation: String?, seconds: Double, seed: UInt64) {
        self.images = images
        self.moments = moments
        self.violations = violations
        self.violation = violation
        self.seconds = seconds
        self.seed = seed
    }

    /// Returns the report in a format.
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
