import Foundation
import Testing
import Torture

@Suite("Report")
struct ReportTests {
    private let report: Report = {
        var report = Report(scenario: "F1", title: "kill -9, inbound", seed: 7, verdict: .broken)
        report.sent = 10
        report.lost = 1
        report.doubled = 2
        report.doubledUnrecognised = 3
        report.reordered = 4
        report.seconds = 1.25
        report.note = "a \"b\" | c"
        return report
    }()

    @Test("JSON is one line with exactly the promised keys")
    func json() throws {
        let line = ReportFormat.json.line(report)
        #expect(!line.contains("\n"))
        let object = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
        #expect(
            Set(object.keys) == [
                "scenario", "sent", "lost", "doubled", "doubled_unrecognised", "reordered", "seconds", "seed", "ok",
                "note",
            ]
        )
        #expect(object["scenario"] as? String == "F1" && object["note"] as? String == report.note)
        #expect(object["sent"] as? Int == 10 && object["lost"] as? Int == 1 && object["doubled"] as? Int == 2)
        #expect(object["doubled_unrecognised"] as? Int == 3 && object["reordered"] as? Int == 4)
        #expect(object["seed"] as? Int == 7 && object["ok"] as? Bool == false)
    }

    @Test("ok says what the verdict says, and nothing where nothing was tried")
    func ok() {
        var report = report
        report.verdict = .held
        #expect(ReportFormat.json.line(report).contains("\"ok\":true"))
        report.verdict = .skipped
        #expect(ReportFormat.json.line(report).contains("\"ok\":null"))
    }

    @Test("a bar in a note does not end the cell of a Markdown table")
    func markdown() throws {
        let line = ReportFormat.markdown.line(report)
        #expect(line.hasPrefix("| F1 kill -9, inbound | 10 | 1 | 2 | 3 | 4 |"))
        #expect(line.contains("a \"b\" \\| c"))
        let columns = try #require(ReportFormat.markdown.header).split(separator: "\n")[0].split(separator: "|").count
        #expect(line.replacing("\\|", with: "").split(separator: "|").count == columns)
    }

    @Test("the text says the counts, the seed, the verdict and the note")
    func text() {
        let words = ReportFormat.text.line(report).split(separator: " ")
        #expect(words.starts(with: ["F1", "kill", "-9,", "inbound", "10", "1", "2", "3", "4"]))
        #expect(words.contains("7") && words.contains("broken"))
    }
}
