import AsyncEventBus
import Logging
import TestSupport
import Testing

@testable import MQTTBridge

@Suite("StatusReporter")
struct StatusReporterTests {
    private let bus = EventBus(logger: .silent)
    private let heard = Locked<[Event]>([])
    private let start = ContinuousClock.now
    private let recorder = LogRecorder()
    /// What was asked to be called after a while.
    private let alarms = Locked<[(pause: Duration, body: @Sendable () -> Void)]>([])

    init() {
        bus.on("$bridge.*", delivery: .serial) { [heard] event in heard.withLock { $0.append(event) } }
    }

    private func reporter() -> StatusReporter {
        StatusReporter(bus: bus, logger: recorder.logger) { [alarms] pause, body in
            alarms.withLock { $0.append((pause, body)) }
        }
    }

    private func reports() async -> [Report] {
        await bus.waitUntilIdle()
        return heard.withLock { $0.map(Report.init) }
    }

    @Test("the first of a kind is told at once, the next after a second with the number it stands for")
    func rate() async {
        let reporter = reporter()
        for millisecond in [0, 1, 500, 999, 1_000, 1_001, 2_500] {
            reporter.count(.dropped, broker: "b", topic: "t", reason: "r", at: start + .milliseconds(millisecond))
        }
        let reports = await reports()
        #expect(reports.map(\.name) == ["$bridge.dropped", "$bridge.dropped", "$bridge.dropped"])
        #expect(reports.map(\.["count"]) == ["1", "4", "2"])
        #expect(reports.map(\.["total"]) == ["1", "5", "7"])
        #expect(reports.allSatisfy { $0["broker"] == "b" && $0["topic"] == "t" && $0["reason"] == "r" })
        #expect(reporter.total(.dropped, broker: "b") == 7)
    }

    @Test("kinds and brokers are counted apart")
    func apart() async {
        let reporter = reporter()
        for kind in [CountedStatus.dropped, .loop, .refused] {
            for broker in ["a", "b"] { reporter.count(kind, broker: broker, topic: "", reason: "", at: start) }
        }
        #expect(await reports().count == 6)
        #expect(reporter.total(.loop, broker: "a") == 1)
        #expect(reporter.total(.loop, broker: "c") == 0)
    }

    @Test("a report is JSON, local, and harmless whatever it tells")
    func text() async throws {
        let reporter = reporter()
        reporter.count(.refused, broker: "\"b\"", topic: "a\u{1b}[2J\n", reason: "\\", at: start)
        reporter.report("$bridge.connected", broker: "b", [("n", "1")])
        let reports = await reports()
        #expect(reports[0]["broker"] == "\"b\"")
        #expect(reports[0]["topic"] == "a\u{1b}[2J\n")
        #expect(reports[0]["reason"] == "\\")
        #expect(reports[0].event.payload.bytes.allSatisfy { $0 >= 0x20 })
        #expect(reports[0].event.attributes.contentType == "application/json")
        #expect(reports[0].event.mqtt == nil)
        #expect(reports[1]["n"] == "1")
    }

    @Test("what happens to messages is logged whether anybody listens or not: a line with each report, with the count")
    func log() {
        let reporter = reporter()
        for millisecond in [0, 1, 2, 1_000] {
            reporter.count(.dropped, broker: "b", topic: "t\n", reason: "r", at: start + .milliseconds(millisecond))
        }
        reporter.count(.stored, broker: "b", topic: "t", reason: "r", at: start)
        reporter.count(.loop, broker: "b", topic: "t", reason: "a copy", level: .debug, at: start)
        let lines = recorder.lines
        #expect(lines.map(\.level) == [.warning, .warning, .debug, .debug])
        #expect(lines.map { $0["count"] } == ["1", "3", "1", "1"])
        #expect(lines[1].message == "messages dropped")
        #expect((lines[1]["broker"], lines[1]["topic"], lines[1]["reason"]) == ("b", "t\\u{a}", "r"))
        #expect(lines[1]["total"] == "4")
    }

    @Test(
        "the unreported rest of a burst is reported after a second, with at most one alarm pending, and none without a rest"
    )
    func burst() async throws {
        let reporter = reporter()
        let now = ContinuousClock.now - .seconds(10)
        reporter.count(.dropped, broker: "b", topic: "t", reason: "r", at: now)
        #expect(alarms.withLock { $0.isEmpty })
        for broker in ["b", "b", "c", "c"] {
            reporter.count(.dropped, broker: broker, topic: "t", reason: "r", at: now + .milliseconds(400))
        }
        #expect(alarms.withLock { $0.map(\.pause) } == [.milliseconds(600)])
        let ring = try #require(alarms.withLock { $0.first?.body })
        ring()
        #expect(await reports().map(\.["count"]).sorted { $0 ?? "" < $1 ?? "" } == ["1", "1", "1", "2"])
        #expect(alarms.withLock { $0.count } == 1)
        #expect(recorder.lines.count == 4)
    }

    @Test("at the end everything unreported is reported")
    func end() async {
        let reporter = reporter()
        for _ in 0..<5 { reporter.count(.refused, broker: "b", topic: "t", reason: "r") }
        reporter.reportDue(isLast: true)
        reporter.reportDue(isLast: true)
        #expect(await reports().map(\.["count"]) == ["1", "4"])
    }
}
