import EventBridgeTesting
import TestSupport
import Testing

@testable import AsyncEventBus

@Suite("EventBus: retries", .timeLimit(.deadlock))
struct EventBusRetryTests {
    private struct Broken: Error, CustomStringConvertible {
        let description = "a fuse has blown"
    }

    /// Pauses of one second each.
    private static func retry(_ attempts: Int) -> RetryPolicy {
        RetryPolicy(attempts: attempts, shortest: .seconds(1), longest: .seconds(1))
    }

    private let clock = TestClock()
    private let bus: EventBus
    private let heard = Journal<String>()
    private let reports = Journal<Event>()

    init() {
        bus = EventBus(clock: clock, logger: .silent)
        bus.on("$bus.**", name: "reports", delivery: .serial) { [reports] in reports.write($0) }
    }

    /// A listener that fails at payloads that begin with "bad", as often as the number behind says.
    private func addListener(
        delivery: DeliveryMode,
        attempts: Int,
        capacity: Int = 1024,
        whenFull: OverflowPolicy = .dropOldest
    ) -> Listener {
        let heard = heard
        return bus.on(
            "*",
            name: "fragile",
            delivery: delivery,
            .capacity(capacity),
            .whenFull(whenFull),
            .retry(Self.retry(attempts))
        ) { event in
            let text = event.payload.text ?? ""
            heard.write("\(event.name) \(text) #\(event.attempt)")
            if text.hasPrefix("bad"), event.attempt <= Int(text.dropFirst(3)) ?? 0 { throw Broken() }
        }
    }

    /// Ends the pauses one after the other: as many as there are to be.
    private func endPauses(_ count: Int, from first: Int = 1) async {
        for number in first..<first + count {
            await clock.sleepsBegun(number)
            clock.advance(by: .seconds(1))
        }
    }

    @Test("an event is tried again until the listener takes it, and the receipt waits for that")
    func succeeds() async throws {
        _ = addListener(delivery: .serial, attempts: 5)
        let receipt = bus.tracked.emit("a", "bad2")
        await clock.sleepsBegun(1)
        #expect(receipt.summary.finished == 0)
        clock.advance(by: .milliseconds(999))
        #expect(heard.entries == ["a bad2 #1"])
        clock.advance(by: .milliseconds(1))
        await endPauses(1, from: 2)
        try await receipt.finished()
        await bus.waitUntilIdle()
        #expect(heard.entries == ["a bad2 #1", "a bad2 #2", "a bad2 #3"])
        #expect(receipt.summary.finished == 1 && receipt.summary.failed == 0)
        #expect(reports.count == 0)
    }

    @Test("after the last attempt it is told once, with the number of attempts")
    func givesUp() async throws {
        _ = addListener(delivery: .concurrent(limit: 4), attempts: 3)
        let receipt = bus.tracked.emit("a", "bad9")
        await endPauses(2)
        try await receipt.finished()
        await bus.waitUntilIdle()
        #expect(heard.entries == ["a bad9 #1", "a bad9 #2", "a bad9 #3"])
        #expect(receipt.summary.finished == 1 && receipt.summary.failed == 1)
        #expect(reports.entries.map(\.name) == ["$bus.failed"])
        let report = try #require(reports.entries.first)
        #expect(report.attributes[header: "attempts"] == "3")
        #expect(report.attributes[header: "reason"] == "error")
        #expect(report.payload == "a fuse has blown")
    }

    @Test("without retries a failure is told at once, as one attempt")
    func noRetry() async {
        bus.on("a") { _ in throw Broken() }
        bus.emit("a")
        await bus.waitUntilIdle()
        #expect(reports.entries.map { $0.attributes[header: "attempts"] } == ["1"])
    }

    @Test("a serial listener hears nothing else before the event is dealt with")
    func serialOrder() async {
        _ = addListener(delivery: .serial, attempts: 3)
        for (name, payload): (EventName, Payload) in [("a", "bad1"), ("b", "good"), ("c", "bad9"), ("d", "good")] {
            bus.emit(name, payload)
        }
        await endPauses(3)
        await bus.waitUntilIdle()
        let expected = ["a bad1 #1", "a bad1 #2", "b good #1", "c bad9 #1", "c bad9 #2", "c bad9 #3", "d good #1"]
        #expect(heard.entries == expected)
    }

    @Test("more failing keys than the limit hold up no other key, and each its own")
    func keys() async {
        let listener = addListener(delivery: .keyed(limit: 2) { $0.name.text }, attempts: 2)
        let failing: [EventName] = ["f0", "f1", "f2", "f3", "f4"]
        for name in failing {
            bus.emit(name, "bad1")
            bus.emit(name, "behind")
        }
        await clock.sleepsBegun(5)
        for number in 0..<10 { bus.emit("fine", Payload(number: number)) }
        await heard.wait(for: 15)
        #expect(heard.entries.suffix(10) == (0..<10).map { "fine \($0) #1" }[...])
        #expect(bus.load(of: listener)?.waiting == 10)
        clock.advance(by: .seconds(1))
        await bus.waitUntilIdle()
        for name in failing {
            let own = heard.entries.filter { $0.hasPrefix("\(name) ") }
            #expect(own == ["\(name) bad1 #1", "\(name) bad1 #2", "\(name) behind #1"])
        }
        #expect(reports.count == 0)
    }

    @Test("a concurrent listener goes on while more events rest than it may call at a time")
    func concurrent() async {
        _ = addListener(delivery: .concurrent(limit: 2), attempts: 2)
        for _ in 0..<5 { bus.emit("f", "bad1") }
        await clock.sleepsBegun(5)
        bus.emit("fine", "x")
        await heard.wait(for: 6)
        #expect(heard.entries.last == "fine x #1")
        clock.advance(by: .seconds(1))
        await bus.waitUntilIdle()
        #expect(heard.entries.suffix(5) == Array(repeating: "f bad1 #2", count: 5)[...])
    }

    @Test("a call that exceeds its time limit is tried again after it has returned, and told only at the end")
    func timeLimit() async throws {
        let heard = heard
        bus.on("a", name: "slow", delivery: .serial, .timeout(.seconds(5)), .retry(Self.retry(2))) { event in
            heard.write("#\(event.attempt)")
            try await Gate().passUnlessCancelled()
        }
        let receipt = bus.tracked.emit("a")
        await clock.sleepsBegun(1)
        clock.advance(by: .seconds(5))
        await clock.sleepsBegun(2)
        #expect(reports.count == 0)
        clock.advance(by: .seconds(1))
        await clock.sleepsBegun(3)
        clock.advance(by: .seconds(5))
        try await receipt.finished()
        await bus.waitUntilIdle()
        #expect(heard.entries == ["#1", "#2"])
        #expect(receipt.summary.failed == 1)
        #expect(reports.entries.map { $0.attributes[header: "reason"] } == ["timeout"])
        #expect(reports.entries.map { $0.attributes[header: "attempts"] } == ["2"])
    }

    @Test("becoming idle waits for what rests")
    func idle() async {
        _ = addListener(delivery: .serial, attempts: 2)
        bus.emit("a", "bad1")
        await clock.sleepsBegun(1)
        let (bus, executor, told) = (bus, StepExecutor(), Journal<Void>())
        let waiter = Task(executorPreference: executor) {
            await bus.waitUntilIdle()
            told.write(())
        }
        executor.step()
        #expect(told.count == 0)
        executor.runFreely()
        clock.advance(by: .seconds(1))
        await waiter.value
        #expect(heard.count == 2)
    }

    @Test("what rests takes up room, and is discarded like what waits", arguments: [true, false])
    func capacity(isDisplaced: Bool) async throws {
        let listener = addListener(
            delivery: .serial,
            attempts: 2,
            capacity: 1,
            whenFull: isDisplaced ? .dropOldest : .dropNewest
        )
        let receipts = [bus.tracked.emit("a", "bad1")]
        await clock.sleepsBegun(1)
        let next = bus.tracked.emit("b", "good")
        #expect(bus.load(of: listener)?.dropped == 1)
        #expect((receipts + [next]).map(\.summary.discarded) == (isDisplaced ? [1, 0] : [0, 1]))
        if !isDisplaced { clock.advance(by: .seconds(1)) }
        await bus.waitUntilIdle()
        #expect(heard.entries == ["a bad1 #1", isDisplaced ? "b good #1" : "a bad1 #2"])
        #expect(reports.entries.map(\.name) == ["$bus.dropped"])
    }

    @Test("a listener that is removed while an event rests is not called again")
    func removed() async throws {
        let listener = addListener(delivery: .serial, attempts: 5)
        let receipt = bus.tracked.emit("a", "bad9")
        await clock.sleepsBegun(1)
        bus.removeListener(listener)
        try await receipt.finished()
        #expect(receipt.summary.discarded == 1 && receipt.summary.delivered == 0)
        clock.advance(by: .seconds(100))
        await bus.waitUntilIdle()
        #expect(heard.count == 1 && reports.count == 0)
    }

    @Test("a listener that is removed while its call fails is given up, and that is told", arguments: [true, false])
    func removedWhileRunning(isSlow: Bool) async throws {
        let (gate, heard) = (Gate(), heard)
        let limit: Duration? = isSlow ? .seconds(5) : nil
        let listener = bus.on("a", name: "l", .timeout(limit), .retry(Self.retry(5))) { event in
            heard.hear(event)
            try await gate.passUnlessCancelled()
            throw Broken()
        }
        let receipt = bus.tracked.emit("a", "x")
        await heard.wait(for: 1)
        bus.removeListener(listener)
        if isSlow {
            await clock.sleepsBegun(1)
            clock.advance(by: .seconds(5))
        } else {
            gate.open()
        }
        try await receipt.finished()
        await reports.wait(for: 1)
        #expect(receipt.summary.failed == 1 && heard.count == 1)
        #expect(reports.entries.map { $0.attributes[header: "attempts"] } == ["1"])
        #expect(reports.entries.map { $0.attributes[header: "reason"] } == [isSlow ? "timeout" : "error"])
    }

    @Test("an event that a listener passes on is delivered for the first time to others")
    func passedOn() async {
        let (bus, heard) = (bus, heard)
        bus.on("a", .retry(Self.retry(2))) { event in
            guard event.attempt == 2 else { throw Broken() }
            bus.emit(Event(id: event.id, name: "b", payload: "", origin: event.origin).attempt(event.attempt))
        }
        bus.on("b") { heard.write("#\($0.attempt)") }
        bus.emit("a")
        await endPauses(1)
        await bus.waitUntilIdle()
        #expect(heard.entries == ["#1"])
    }
}
