import Logging
import TestSupport
import Testing

@testable import AsyncEventBus

@Suite("EventBus: the log", .timeLimit(.deadlock))
struct EventBusLogTests {
    private struct Broken: Error, CustomStringConvertible {
        let description = "a fuse \u{1b}[31m has blown"
    }

    private let recorder = LogRecorder()
    private let bus: EventBus

    init() {
        bus = EventBus(logger: recorder.logger)
    }

    @Test("a listener that fails is logged although nobody listens to reports: at once, and then with the count")
    func failures() async throws {
        bus.on("a.*", name: "bad", delivery: .serial) { _ in throw Broken() }
        for number in 0..<10 { bus.emit(EventName(spelled: "a.\(number)")) }
        await bus.waitUntilIdle()
        #expect(try await eventually { recorder.lines.count >= 2 })
        let lines = recorder.lines
        #expect(lines.map(\.level) == [.warning, .warning])
        #expect(Set(lines.map(\.message)) == ["a listener failed"])
        #expect(lines.map { $0["count"] } == ["1", "9"])
        #expect(lines.map { $0["event"] } == ["a.0", "a.9"])
        #expect(lines.allSatisfy { $0["listener"] == "bad" && $0["reason"] == "a fuse \\u{1B}[31m has blown" })
    }

    @Test("a failure while a report is handled is logged, though not reported again")
    func failingReporter() async {
        bus.on("$bus.failed", name: "bad at reports") { _ in throw Broken() }
        bus.on("a", name: "bad") { _ in throw Broken() }
        bus.emit("a")
        await bus.waitUntilIdle()
        #expect(recorder.lines.map { $0["listener"] } == ["bad", "bad at reports"])
    }

    @Test("all that a full mailbox and a full subscription discard is logged with its number, in few lines")
    func overflow() async throws {
        let gate = Gate()
        bus.on("a", name: "slow", delivery: .serial, .capacity(1)) { _ in await gate.pass() }
        let total = await bus.withSubscription(to: "a", capacity: 1) { subscription in
            for number in 0..<1_000 { bus.emit("a", Payload(number: number)) }
            return Int(subscription.dropped)
        }
        gate.open()
        await bus.waitUntilIdle()
        let recorder = recorder
        func count(_ listener: String) -> Int {
            let lines = recorder.lines.filter { $0["listener"] == listener }
            return lines.compactMap { $0["count"].flatMap { Int($0) } }.reduce(0, +)
        }
        #expect(total == 999)
        #expect(try await eventually { count("subscription to a") == total && count("slow") >= 998 })
        #expect(recorder.lines.count <= 8)
        #expect(recorder.lines.allSatisfy { $0.level == .warning && $0["event"] == "a" })
    }
}
