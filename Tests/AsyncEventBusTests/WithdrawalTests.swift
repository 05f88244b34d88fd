import EventBridgeTesting
import TestSupport
import Testing

@testable import AsyncEventBus

@Suite("Deliveries that are taken back", .timeLimit(.deadlock))
struct WithdrawalTests {
    private struct Broken: Error, CustomStringConvertible {
        let description = "broken"
    }

    private let clock = TestClock()
    private let bus: EventBus
    private let heard = Journal<String>()
    private let gate = Gate()
    private let owner = FakeTracker.Owner()

    init() {
        bus = EventBus(clock: clock)
    }

    private func event(_ payload: Payload) -> Event {
        Event(id: EventID(source: "far", tag: "1"), name: "a", payload: payload, origin: EventOrigin(bus: "far"))
    }

    /// A listener that fails at "bad", and whose other calls return when the gate is open.
    private func addSink(_ delivery: DeliveryMode, attempts: Int) throws -> DurableMailbox {
        let (heard, gate) = (heard, gate)
        let retry = RetryPolicy(attempts: attempts, shortest: .seconds(1), longest: .seconds(1))
        try bus.on("a", durable: "sink", delivery: delivery, .retry(retry)) { event in
            heard.write(event.payload.text ?? "")
            if event.payload == "bad" { throw Broken() }
            await gate.pass()
            if event.payload == "late" { throw Broken() }
        }
        return try #require(bus.durableMailboxes().first)
    }

    private func offer(_ sink: DurableMailbox, _ payloads: [Payload], owner: FakeTracker.Owner? = nil) -> [FakeTracker]
    {
        let trackers = payloads.map { _ in FakeTracker(owner: owner ?? self.owner) }
        sink.offer(contentsOf: zip(payloads, trackers).map { (event($0), 1, $1) })
        return trackers
    }

    private func withdraw(_ sink: DurableMailbox, _ trackers: [FakeTracker]) {
        for tracker in trackers { tracker.isWithdrawn = true }
        sink.withdraw(from: owner)
    }

    @Test(
        "what waits is taken back at once, what runs goes on, and what others have offered is heard",
        arguments: [1, 3],
        [1, 2]
    )
    func waiting(attempts: Int, limit: Int) async throws {
        let sink = try addSink(.concurrent(limit: limit), attempts: attempts)
        let running = offer(sink, (0..<limit).map { Payload("run \($0)") })
        await heard.wait(for: limit)
        // More than one chunk.
        let waiting = offer(sink, (0..<100).map { Payload(number: $0) })
        let others = offer(sink, ["other"], owner: FakeTracker.Owner())
        bus.emit("a", "local")
        withdraw(sink, running + waiting)
        #expect(waiting.allSatisfy { $0.told.entries == ["removed"] })
        #expect(running.allSatisfy { $0.told.entries.isEmpty })
        gate.open()
        await bus.waitUntilIdle()
        #expect(running.allSatisfy { $0.told.entries == ["finished"] })
        #expect(others[0].told.entries == ["finished"])
        #expect(Set(heard.entries.dropFirst(limit)) == ["other", "local"])
    }

    @Test("what waits of a chunk that is being worked off is taken back as well", arguments: [1, 3])
    func chunk(attempts: Int) async throws {
        let sink = try addSink(.serial, attempts: attempts)
        let trackers = offer(sink, ["first"] + (1..<10).map { Payload(number: $0) })
        await heard.wait(for: 1)
        withdraw(sink, trackers)
        gate.open()
        await bus.waitUntilIdle()
        #expect(heard.entries == ["first"])
        #expect(trackers.map(\.told.entries) == [["finished"]] + Array(repeating: ["removed"], count: 9))
    }

    @Test("what rests between two attempts is taken back, and holds up nobody", arguments: [true, false])
    func resting(isKeyed: Bool) async throws {
        let sink = try addSink(isKeyed ? .keyed { _ in "k" } : .serial, attempts: 3)
        let trackers = offer(sink, ["bad", "next"])
        await clock.sleepsBegun(1)
        bus.emit("a", "local")
        withdraw(sink, trackers)
        gate.open()
        await bus.waitUntilIdle()
        #expect(heard.entries == ["bad", "local"])
        #expect(trackers.map(\.told.entries) == [["failed 1: broken", "removed"], ["removed"]])
    }

    @Test("what fails afterwards is not called again, and not given up", arguments: [true, false])
    func failing(isKeyed: Bool) async throws {
        let sink = try addSink(isKeyed ? .keyed { _ in "k" } : .serial, attempts: 3)
        let trackers = offer(sink, ["late"])
        await heard.wait(for: 1)
        withdraw(sink, trackers)
        bus.emit("a", "local")
        gate.open()
        await bus.waitUntilIdle()
        #expect(heard.entries == ["late", "local"])
        #expect(trackers[0].told.entries == ["failed 1: broken", "removed"])
    }

    @Test("a call that waits until its start is noted does not begin afterwards")
    func marked() async throws {
        let sink = try addSink(.serial, attempts: 1)
        let tracker = FakeTracker(marksStart: true, gate: gate, owner: owner)
        sink.offer(event("x"), attempt: 1, tracker: tracker)
        await tracker.told.wait(for: 1)
        withdraw(sink, [tracker])
        gate.open()
        await bus.waitUntilIdle()
        #expect(heard.count == 0)
        #expect(tracker.told.entries == ["will run 1", "removed"])
    }
}
