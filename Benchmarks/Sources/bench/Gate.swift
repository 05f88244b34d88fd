import Foundation

/// Counts what a message costs, and compares it with the most that it may cost.
///
/// Nothing is timed: times differ from machine to machine, counts do not. What a batch costs is shared out among its
/// messages, and a machine with other work has smaller batches, so a figure can be too high but not too low: what is
/// above its bound is counted again, twice at most, and the least counts.
struct Gate {
    /// 4 for MQTT 3.1.1, or 5.
    let version: Int

    private static let attempts = 3

    /// What was found about one bound.
    private struct Finding {
        let bound: GateBound
        /// One for each time it was counted.
        var counts: [Double] = []
        /// Why it could not be counted.
        var problem: String?
        /// Why nothing can count it here.
        var obstacle: String?

        var least: Double? { counts.min() }
        var isKept: Bool { obstacle != nil || problem == nil && least.map { $0 <= bound.most } == true }
    }

    /// Prints a table, and for each bound that is not kept what to do.
    ///
    /// - Returns: Whether all are kept.
    func run() -> Bool {
        let findings = GateBound.all.map(find)
        var lines = [
            "", "## Counted for each message, \(protocolName(version))", "",
            "| condition | counted | most | unit | kept |", "|---|--:|--:|---|---|",
        ]
        for finding in findings {
            let counts = finding.counts.map(Digits.grouped).joined(separator: "; ")
            let cells = [
                finding.bound.condition, counts, Digits.grouped(finding.bound.most), finding.bound.quantity.rawValue,
                finding.obstacle ?? (finding.isKept ? "yes" : "NO"),
            ]
            lines.append("| \(cells.joined(separator: " | ")) |")
        }
        let failures = findings.filter { !$0.isKept }.map(explanation)
        let text = (lines + [""] + failures).joined(separator: "\n") + "\n"
        FileHandle.standardOutput.write(Data(text.utf8))
        return failures.isEmpty
    }

    private func find(_ bound: GateBound) -> Finding {
        var finding = Finding(bound: bound)
        finding.obstacle = bound.obstacle(version: version)
        guard finding.obstacle == nil else { return finding }
        do {
            while finding.counts.count < Self.attempts && !finding.isKept {
                note("\(bound.condition), \(bound.quantity.rawValue): \(finding.counts.count + 1)")
                finding.counts.append(try bound.count(version: version))
            }
        } catch {
            finding.problem = "\(error)"
        }
        return finding
    }

    private func explanation(_ finding: Finding) -> String {
        let bound = finding.bound
        let analysis = (try? bound.analysis(version: version)) ?? ""
        guard finding.problem == nil, let least = finding.least else {
            return """
                FAILED: \(bound.condition): the \(bound.quantity.rawValue) could not be counted: \
                \(finding.problem ?? "nothing came").
                """
        }
        return """
            FAILED: \(bound.condition): \(Digits.grouped(least)) \(bound.quantity.rawValue), the bound is \
            \(Digits.grouped(bound.most)).
            What it is made of: \(analysis)
            If it is worth its price, raise the bound in Benchmarks/Sources/bench/GateBound.swift and say why in the commit.
            """
    }
}
