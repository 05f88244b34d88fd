import EventBridgeTesting
import TestSupport
import Testing

@testable import AsyncEventBus

@Suite("Tracked delivery", .timeLimit(.deadlock))
struct TrackedDeliveryTests {
    private struct Broken: Error, CustomStringConvertible {
        let description = "broken"
    }

    private let clock = TestClock()
    private let bus: EventBus
    private let heard = Journal<String>()
    private let reports = Journal<Event>()

    init() {
        bus = EventBus(clock: clock, logger: .silent)
        bus.on("$bus.**", delivery: .serial) { [reports] in reports.write($0) }
    }

    private func event(_ payload: Payload = "x") -> Event {
        Event(id: EventID(source: "far", tag: "1"), name: "a", payload: payload, origin: EventOrigin(bus: "far"))
    }

    /// A listener that fails at "bad", and holds up at "hold" until the gate is open.
    private func addSink(
        attempts: Int = 1,
        capacity: Int = 4,
        timeLimit: Duration? = nil,
        gate: Gate = Gate()
    ) throws -> (sink: DurableMailbox, listener: Listener) {
        let heard = heard
        let listener = try bus.on(
            "a",
            durable: "sink",
            delivery: .serial,
            .capacity(capacity),
            .timeout(timeLimit),
            .retry(attempts, shortest: .seconds(1), longest: .seconds(1))
        ) { event in
            heard.write("\(event.payload.text ?? "") #\(event.attempt)")
            if event.payload == "hold" { await gate.pass() }
            if event.payload == "slow" { try await gate.passUnlessCancelled() }
            if event.payload == "bad" || event.payload == "hold" && event.attempt > 1 { throw Broken() }
        }
        return (try #require(bus.durable(for: "a").first), listener)
    }

    @Test("a delivery that succeeds is told once, and its start only where that is wanted", arguments: [true, false])
    func finished(marksStart: Bool) async throws {
        let tracker = FakeTracker(marksStart: marksStart)
        try addSink().sink.offer(event(), attempt: 3, tracker: tracker)
        await bus.waitUntilIdle()
        #expect(tracker.told.entries == (marksStart ? ["will run 3"] : []) + ["finished"])
        #expect(heard.entries == ["x #3"])
    }

    @Test("the call waits for the mark of its start, outside of its time limit")
    func startIsAwaited() async throws {
        let tracker = FakeTracker(marksStart: true, gate: Gate())
        try addSink(timeLimit: .seconds(1)).sink.offer(event(), attempt: 1, tracker: tracker)
        await tracker.told.wait(for: 1)
        #expect(heard.count == 0)
        clock.advance(by: .seconds(10))
        tracker.gate.open()
        await bus.waitUntilIdle()
        #expect(tracker.told.entries == ["will run 1", "finished"])
    }

    @Test("each failed attempt is told, and the last one as the end")
    func failed() async throws {
        let tracker = FakeTracker(marksStart: true)
        try addSink(attempts: 3).sink.offer(event("bad"), attempt: 1, tracker: tracker)
        for pause in 1...2 {
            await clock.sleepsBegun(pause)
            clock.advance(by: .seconds(1))
        }
        await bus.waitUntilIdle()
        let expected = [
            "will run 1", "failed 1: broken", "will run 2", "failed 2: broken", "will run 3",
            "given up after 3: broken",
        ]
        #expect(tracker.told.entries == expected)
        #expect(reports.entries.map { $0.attributes[header: "attempts"] } == ["3"])
    }

    @Test("attempts of an earlier life count, and one is made in any case", arguments: [2, 3, 7])
    func earlierAttempts(first: Int) async throws {
        let tracker = FakeTracker()
        try addSink(attempts: 3).sink.offer(event("bad"), attempt: first, tracker: tracker)
        if first < 3 {
            await clock.sleepsBegun(1)
            clock.advance(by: .seconds(1))
        }
        await bus.waitUntilIdle()
        #expect(heard.entries == (first...max(first, 3)).map { "bad #\($0)" })
        #expect(tracker.outcomes.entries == ["given up after \(max(first, 3)): broken"])
    }

    @Test("attempts that a transport does not count take none of those that the listener has")
    func uncountedAttempts() async throws {
        let tracker = FakeTracker(uncounted: 2)
        try addSink(attempts: 2).sink.offer(event("bad"), attempt: 3, tracker: tracker)
        await clock.sleepsBegun(1)
        clock.advance(by: .seconds(1))
        await bus.waitUntilIdle()
        #expect(heard.entries == ["bad #3", "bad #4"])
    }

    @Test("a call that takes too long is a failure like another")
    func timeout() async throws {
        let tracker = FakeTracker()
        try addSink(attempts: 2, timeLimit: .seconds(5)).sink.offer(event("slow"), attempt: 1, tracker: tracker)
        await clock.sleepsBegun(1)
        clock.advance(by: .seconds(5))
        await clock.sleepsBegun(2)
        clock.advance(by: .seconds(1))
        await clock.sleepsBegun(3)
        clock.advance(by: .seconds(5))
        await bus.waitUntilIdle()
        let text = "took longer than 5.0 seconds"
        #expect(tracker.told.entries == ["failed 1: \(text)", "given up after 2: \(text)"])
        #expect(reports.count == 1)
    }

    @Test("closing ends what waits and what comes later as removed, and what runs as what it comes to")
    func removedWhileWaiting() async throws {
        let gate = Gate()
        let (sink, listener) = try addSink(attempts: 3, gate: gate)
        let trackers = (0..<4).map { _ in FakeTracker() }
        sink.offer(event("hold"), attempt: 1, tracker: trackers[0])
        await heard.wait(for: 1)
        for tracker in trackers[1...2] { sink.offer(event(), attempt: 1, tracker: tracker) }
        bus.removeListener(listener)
        #expect(trackers.map(\.told.entries) == [[], ["removed"], ["removed"], []])
        sink.offer(event(), attempt: 1, tracker: trackers[3])
        #expect(trackers[3].told.entries == ["removed"])
        gate.open()
        await sink.mailbox.waitUntilIdle()
        #expect(trackers.map(\.told.entries) == [["finished"], ["removed"], ["removed"], ["removed"]])
        #expect(heard.count == 1)
    }

    @Test("closing ends what rests as removed")
    func removedWhileResting() async throws {
        let tracker = FakeTracker()
        let (sink, listener) = try addSink(attempts: 3)
        sink.offer(event("bad"), attempt: 1, tracker: tracker)
        await clock.sleepsBegun(1)
        bus.removeListener(listener)
        clock.advance(by: .seconds(1))
        await sink.mailbox.waitUntilIdle()
        #expect(tracker.told.entries == ["failed 1: broken", "removed"])
        #expect(heard.count == 1)
    }

    @Test("what fails after the listener was removed is given up, although attempts are left")
    func removedWhileFailing() async throws {
        let (tracker, gate) = (FakeTracker(), Gate())
        let (sink, listener) = try addSink(attempts: 5, gate: gate)
        sink.offer(event("hold"), attempt: 2, tracker: tracker)
        await heard.wait(for: 1)
        bus.removeListener(listener)
        gate.open()
        await sink.mailbox.waitUntilIdle()
        #expect(tracker.told.entries == ["failed 2: broken", "given up after 2: broken"])
    }

    @Test("what a transport keeps is never displaced and takes up no room, and others displace one another as before")
    func kept() async throws {
        let (gate, tracker) = (Gate(), FakeTracker())
        let (sink, listener) = try addSink(capacity: 2, gate: gate)
        bus.emit("a", "hold")
        await heard.wait(for: 1)
        for number in 0..<10 { sink.offer(event(Payload("kept \(number)")), attempt: 1, tracker: tracker) }
        #expect(try #require(bus.load(of: listener)) == (waiting: 10, dropped: 0))
        for number in 0..<5 { bus.emit("a", Payload(number: number)) }
        #expect(try #require(bus.load(of: listener)) == (waiting: 12, dropped: 3))
        gate.open()
        await bus.waitUntilIdle()
        #expect(heard.entries == ["hold #1"] + (0..<10).map { "kept \($0) #1" } + ["3 #1", "4 #1"])
        #expect(tracker.outcomes.entries == Array(repeating: "finished", count: 10))
    }

    @Test("whatever happens when, each delivery ends once")
    func once() async throws {
        for round in 0..<50 {
            let trackers = (0..<20).map { _ in FakeTracker() }
            let bus = EventBus(logger: .silent)
            let retry = RetryPolicy(attempts: 3, shortest: .zero, longest: .microseconds(50))
            let listener = try bus.on("a", durable: "l", delivery: .concurrent(limit: 3), .retry(retry)) { event in
                if event.attempt < 3, !event.number.isMultiple(of: 3) { throw Broken() }
            }
            let sink = try #require(bus.durableMailboxes().first)
            await withTaskGroup(of: Void.self) { group in
                group.addTask {
                    for (number, tracker) in trackers.enumerated() {
                        sink.offer(event(Payload(number: number)), attempt: 1, tracker: tracker)
                        if number == round % 20 { await Task.yield() }
                    }
                }
                group.addTask {
                    for _ in 0..<round { await Task.yield() }
                    bus.removeListener(listener)
                }
            }
            for tracker in trackers { await tracker.outcomes.wait(for: 1) }
            await sink.mailbox.waitUntilIdle()
            #expect(trackers.allSatisfy { $0.outcomes.count == 1 && $0.told.entries.last == $0.outcomes.entries[0] })
        }
    }

    @Test("a listener is durable if it was made so, whether or not it has a name")
    func names() throws {
        let (durable, named) = (try bus.on("a", durable: "x") { _ in }, bus.on("a", name: "y") { _ in })
        #expect(durable.isDurable && durable.name == "x")
        #expect(!named.isDurable && named.name == "y" && bus.on("a.*") { _ in }.name == "a.*")
        #expect(Listener(durable: "z") { _ in }.isDurable && !Listener("z") { _ in }.isDurable)
        #expect(bus.durableMailboxes().map(\.name) == ["x"])
        #expect(bus.durable(for: "a.b").isEmpty)
        let sink = try #require(bus.durable(for: "a").first)
        #expect(sink.name == "x" && sink.capacity == 1024)
        #expect(Set(bus.durable(for: "a") + bus.durableMailboxes()) == [sink])
        bus.removeListener(durable)
        #expect(bus.durable(for: "a").isEmpty && bus.durableMailboxes().isEmpty)
    }

    @Test("a second durable listener of a name is refused until the first has left all its patterns")
    func secondOfAName() throws {
        let (first, second) = (Listener(durable: "x") { _ in }, Listener(durable: "x") { _ in })
        #expect(try bus.addListener(first, to: "a"))
        #expect(try bus.addListener(first, to: "b"))
        #expect(try !bus.addListener(first, to: "b"))
        for pattern in ["a", "c"] as [EventPattern] {
            let error = #expect(throws: EventBusError.self) { try bus.addListener(second, to: pattern) }
            #expect(error?.code == .nameTaken && error?.operation == "add durable listener \"x\"")
            #expect(throws: EventBusError.self) { try bus.on(pattern, durable: "x") { _ in } }
        }
        // Of other bytes, without durability, or on another bus.
        try bus.on("a", durable: "X") { _ in }
        bus.on("a", name: "x") { _ in }
        #expect(try EventBus().addListener(second, to: "a"))
        bus.removeListener(first, from: "a")
        #expect(throws: EventBusError.self) { try bus.addListener(second, to: "a") }
        bus.removeListener(first)
        #expect(try bus.addListener(second, to: "a"))
        #expect(bus.durable(for: "a").map(\.name).sorted() == ["X", "x"])
    }

    @Test(
        "emitting to the others leaves out the durable ones, and goes as far as it is told",
        arguments: [true, false]
    )
    func others(isLocal: Bool) async throws {
        let (heard, transport) = (heard, FakeTransport())
        bus.attach(transport, to: ["**"])
        try bus.on("a", durable: "durable") { _ in heard.write("durable") }
        bus.on("a") { heard.write("other #\($0.attempt)") }
        await bus.withSubscription(to: "a") { subscription in
            bus.emitToOthers(event().attempt(4), scope: isLocal ? .local : .everywhere)
            let first = await subscription.first { _ in true }
            #expect(first?.attempt == 1)
        }
        await bus.waitUntilIdle()
        #expect(heard.entries == ["other #1"])
        #expect(transport.taken.count == (isLocal ? 0 : 1))
    }
}
