import Logging
import Testing

@testable import MQTTBridge

@Suite("StatusTallies")
struct StatusTalliesTests {
    private let start = ContinuousClock.now
    private let key = StatusTallies.Key(kind: .dropped, broker: "b")

    private func example(_ topic: String = "t") -> StatusTallies.Example {
        StatusTallies.Example(topic: topic, reason: "r")
    }

    @Test("the unreported rest of a burst is due a second after the last report, with its count and the latest example")
    func burst() throws {
        var tallies = StatusTallies()
        #expect(tallies.nextDue == nil)
        #expect(tallies.count(key, 1, example(), level: .debug, at: start)?.count == 1)
        #expect(tallies.nextDue == nil)
        #expect(tallies.count(key, 3, example("u"), level: .warning, at: start + .milliseconds(5)) == nil)
        #expect(tallies.count(key, 1, example("v"), level: .debug, at: start + .milliseconds(6)) == nil)
        #expect(tallies.nextDue == start + .seconds(1))
        #expect(tallies.due(at: start + .milliseconds(999)).isEmpty)
        let reports = tallies.due(at: start + .seconds(1))
        let report = try #require(reports.first)
        #expect(reports.count == 1 && report.key == key)
        #expect((report.count, report.total, report.example.topic) == (4, 5, "v"))
        #expect(report.level == .warning, "the most severe counts")
        #expect(tallies.nextDue == nil && tallies.due(at: start + .seconds(9)).isEmpty)
    }

    @Test("at the end everything unreported is reported, however recent the last report is")
    func last() {
        var tallies = StatusTallies()
        let other = StatusTallies.Key(kind: .refused, broker: "c")
        for key in [key, other, key, other, other] { _ = tallies.count(key, 1, example(), level: .info, at: start) }
        let reports = tallies.due(at: start, isLast: true)
        #expect(reports.map(\.count).sorted() == [1, 2])
        #expect(tallies.due(at: start, isLast: true).isEmpty)
        #expect((tallies.total(key), tallies.total(other)) == (2, 3))
    }
}
