import AsyncEventBus
import TestSupport
import Testing

@testable import MQTTBridge

@Suite("StatusReporter")
struct StatusReporterTests {
    private let bus = EventBus()
    private let heard = Locked<[Event]>([])
    private let start = ContinuousClock.now

    init() {
        bus.on("$bridge.*", delivery: .serial) { [heard] event in heard.withLock { $0.append(event) } }
    }

    private func reports() async -> [Report] {
        await bus.becomeIdle()
        return heard.withLock { $0.map(Report.init) }
    }

    @Test("the first of a kind is told at once, the next after a second with the number it stands for")
    func rate() async {
        let reporter = StatusReporter(bus: bus)
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
        let reporter = StatusReporter(bus: bus)
        for kind in [StatusReporter.Counted.dropped, .loop, .refused] {
            for broker in ["a", "b"] { reporter.count(kind, broker: broker, topic: "", reason: "", at: start) }
        }
        #expect(await reports().count == 6)
        #expect(reporter.total(.loop, broker: "a") == 1)
        #expect(reporter.total(.loop, broker: "c") == 0)
    }

    @Test("a report is JSON, local, and harmless whatever it tells")
    func text() async throws {
        let reporter = StatusReporter(bus: bus)
        reporter.count(.refused, broker: "\"b\"", topic: "a\u{1b}[2J\n", reason: "\\", at: start)
        reporter.tell("$bridge.connected", broker: "b", [("n", "1")])
        let reports = await reports()
        #expect(reports[0]["broker"] == "\"b\"")
        #expect(reports[0]["topic"] == "a\u{1b}[2J\n")
        #expect(reports[0]["reason"] == "\\")
        #expect(reports[0].event.payload.bytes.allSatisfy { $0 >= 0x20 })
        #expect(reports[0].event.attributes.contentType == "application/json")
        #expect(reports[0].event.origin.transport == nil)
        #expect(reports[1]["n"] == "1")
    }
}
