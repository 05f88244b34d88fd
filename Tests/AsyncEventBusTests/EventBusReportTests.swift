import EventBridgeTesting
import TestSupport
import Testing

@testable import AsyncEventBus

@Suite("EventBus: reports", .timeLimit(.deadlock))
struct EventBusReportTests {
    private struct Broken: Error, CustomStringConvertible {
        let description = "a fuse has blown"
    }

    private let clock = TestClock()
    private let bus: EventBus
    private let heard = Journal<String>()
    private let reports = Journal<Event>()

    init() {
        bus = EventBus(clock: clock, logger: .silent)
        bus.on("$bus.**", name: "reports", delivery: .serial) { [reports] in reports.write($0) }
    }

    @Test("a listener that throws is told once, harms no other, and hears the next event")
    func failed() async throws {
        let heard = heard
        bus.on("a", name: "bad", delivery: .serial) { event in
            heard.hear(event)
            throw Broken()
        }
        bus.on("a", name: "good", delivery: .serial) { heard.hear($0) }
        let receipt = bus.tracked.emit("a", "1")
        bus.emit("a", "2")
        await bus.waitUntilIdle()
        #expect(heard.entries.sorted() == ["1", "1", "2", "2"])
        #expect(receipt.summary.finished == 2 && receipt.summary.failed == 1)
        #expect(reports.count == 2)
        let report = try #require(reports.entries.first)
        #expect(report.name == "$bus.failed")
        #expect(report.payload == "a fuse has blown")
        #expect(report.attributes[header: "listener"] == "bad")
        #expect(report.attributes[header: "event"] == "a")
        #expect(report.attributes[header: "event-id"] == receipt.id.description)
        #expect(report.attributes[header: "reason"] == "error")
    }

    @Test("what fails while handling a report is not reported again")
    func noEndlessLoop() async {
        let heard = heard
        bus.on("$bus.**", name: "bad at reports") { event in
            heard.write(event.attributes[header: "listener"] ?? "")
            throw Broken()
        }
        bus.on("a", name: "bad") { _ in throw Broken() }
        bus.emit("a")
        await bus.waitUntilIdle()
        #expect(heard.entries == ["bad"])
        #expect(reports.count == 1)
    }

    @Test("reports stay in the process")
    func reportsAreLocal() async {
        let transport = FakeTransport()
        bus.attach(transport, to: ["**", "$bus.**"])
        bus.on("a") { _ in throw Broken() }
        bus.emit("a")
        await reports.wait(for: 1)
        await bus.waitUntilIdle()
        #expect(transport.offered.entries.map(\.name) == ["a"])
    }

    @Test("when the time limit is over the call is cancelled and told as a timeout")
    func timeLimit() async throws {
        let (heard, gate) = (heard, Gate())
        bus.on("a", name: "slow", delivery: .serial, .timeout(.seconds(5))) { event in
            do {
                try await gate.passUnlessCancelled()
                heard.write("passed")
            } catch {
                heard.write("cancelled: \(Task.isCancelled)")
                throw error
            }
        }
        let receipt = bus.tracked.emit("a")
        await clock.sleepsBegun(1)
        clock.advance(by: .milliseconds(4_999))
        #expect(heard.count == 0 && reports.count == 0)
        clock.advance(by: .milliseconds(1))
        try await receipt.finished()
        #expect(heard.entries == ["cancelled: true"])
        #expect(receipt.summary.failed == 1)
        await bus.waitUntilIdle()
        #expect(reports.count == 1)
        let report = try #require(reports.entries.first)
        #expect(report.name == "$bus.failed")
        #expect(report.attributes[header: "reason"] == "timeout")
        #expect(report.attributes[header: "listener"] == "slow")
        #expect(report.attributes[header: "event-id"] == receipt.id.description)
        #expect(report.payload.text?.contains("5.0 seconds") == true)
    }

    @Test("a call that ignores cancellation is told at once, and keeps its place until it returns")
    func ignoredCancellation() async throws {
        let (heard, gate) = (heard, Gate())
        let listener = bus.on("a", delivery: .serial, .timeout(.seconds(1))) { event in
            heard.hear(event)
            if event.payload == "stubborn" { await gate.pass() }
        }
        let receipt = bus.tracked.emit("a", "stubborn")
        bus.emit("a", "next")
        await clock.sleepsBegun(1)
        clock.advance(by: .seconds(1))
        await reports.wait(for: 1)
        #expect(receipt.summary.finished == 0)
        #expect(heard.entries == ["stubborn"])
        #expect(bus.load(of: listener)?.waiting == 1)
        gate.open()
        try await receipt.finished()
        #expect(receipt.summary.failed == 1)
        await bus.waitUntilIdle()
        #expect(heard.entries == ["stubborn", "next"])
        #expect(reports.count == 1)
    }

    @Test("a call that ends in time is left alone, and its error is an error")
    func inTime() async throws {
        bus.on("a", delivery: .serial, .timeout(.seconds(1))) { event in
            if event.payload == "bad" { throw Broken() }
        }
        let receipts = [bus.tracked.emit("a", "good"), bus.tracked.emit("a", "bad")]
        for receipt in receipts { try await receipt.finished() }
        clock.advance(by: .seconds(10))
        await bus.waitUntilIdle()
        #expect(receipts.map(\.summary.failed) == [0, 1])
        #expect(reports.entries.map { $0.attributes[header: "reason"] } == ["error"])
    }
}
