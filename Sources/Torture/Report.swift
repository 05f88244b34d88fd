internal import Foundation

/// The result of one scenario, printed as one line.
package struct Report: Sendable, Hashable {
    /// The verdict on a scenario.
    package enum Verdict: String, Sendable {
        /// The promise held.
        case held
        /// The promise did not hold, or the fault could not be caused.
        case broken
        /// The scenario did not run; the note has the reason.
        case skipped
    }

    /// The number of the fault in the list of faults.
    package var scenario: String
    /// A short description of the fault.
    package var title: String
    /// The number of messages given to the broker or to the daemon.
    package var sent = 0
    /// The number of accepted messages that never arrived.
    package var lost = 0
    /// The number of sightings after the first one of a message.
    package var doubled = 0
    /// The number of doubles that cannot be distinguished from new messages.
    package var doubledUnrecognised = 0
    /// The number of first sightings after a later message of the same topic.
    package var reordered = 0
    /// The duration in seconds.
    package var seconds = 0.0
    /// The seed of the random choices.
    package var seed: UInt64
    /// The verdict.
    package var verdict: Verdict
    /// Other measurements and violations.
    package var note = ""

    /// Creates a report.
    package init(scenario: String, title: String, seed: UInt64, verdict: Verdict) {
        self.scenario = scenario
        self.title = title
        self.seed = seed
        self.verdict = verdict
    }
}

/// The format of reports.
package enum ReportFormat: String, Sendable, CaseIterable {
    /// Columns, for people.
    case text
    /// One JSON object a line, for programs.
    case json
    /// A table, for documents.
    case markdown

    /// The lines before the first report; nil for none.
    package var header: String? {
        switch self {
        case .text:
            Self.row(
                "scenario",
                "sent",
                "lost",
                "doubled",
                "unrecognised",
                "reordered",
                "seconds",
                "seed",
                "verdict",
                ""
            )
        case .json: nil
        case .markdown:
            """
            | scenario | sent | lost | doubled | unrecognised | reordered | seconds | seed | verdict | note |
            |---|--:|--:|--:|--:|--:|--:|--:|---|---|
            """
        }
    }

    /// Returns the line of a report.
    package func line(_ report: Report) -> String {
        let seconds = String(format: "%.1f", report.seconds)
        let counts = [report.sent, report.lost, report.doubled, report.doubledUnrecognised, report.reordered]
        let name = "\(report.scenario) \(report.title)"
        switch self {
        case .text:
            let texts = counts.map(String.init)
            return Self.row(
                name,
                texts[0],
                texts[1],
                texts[2],
                texts[3],
                texts[4],
                seconds,
                String(report.seed),
                report.verdict.rawValue,
                report.note
            )
        case .json: return Self.json(report, seconds: seconds)
        case .markdown:
            let cells =
                [name] + counts.map(String.init) + [seconds, "\(report.seed)", "\(report.verdict)", report.note]
            return "| " + cells.map { $0.replacing("|", with: "\\|") }.joined(separator: " | ") + " |"
        }
    }

    private static func row(_ name: String, _ rest: String...) -> String {
        let widths = [9, 6, 8, 13, 10, 8, 21, 8]
        var line = name.padding(toLength: max(34, name.count), withPad: " ", startingAt: 0)
        for (text, width) in zip(rest, widths) {
            line += String(repeating: " ", count: max(1, width - text.count)) + text
        }
        return rest[8].isEmpty ? line : line + "  " + rest[8]
    }

    /// `ok` is null if the scenario did not run: neither true nor false would be correct.
    private static func json(_ report: Report, seconds: String) -> String {
        let ok =
            switch report.verdict {
            case .held: "true"
            case .broken: "false"
            case .skipped: "null"
            }
        return """
            {"scenario":\(quoted(report.scenario)),"sent":\(report.sent),"lost":\(report.lost),\
            "doubled":\(report.doubled),"doubled_unrecognised":\(report.doubledUnrecognised),\
            "reordered":\(report.reordered),"seconds":\(seconds),"seed":\(report.seed),"ok":\(ok),\
            "note":\(quoted(report.note))}
            """
    }

    /// Returns a text as a JSON string.
    static func quoted(_ text: String) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .withoutEscapingSlashes
        return (try? encoder.encode(text)).map { String(decoding: $0, as: UTF8.self) } ?? "\"\""
    }
}
