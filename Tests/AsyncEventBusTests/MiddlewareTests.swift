import EventBridgeTesting
import Locking
import TestSupport
import Testing

@testable import AsyncEventBus

@Suite("Middleware", .timeLimit(.deadlock))
struct MiddlewareTests {
    private struct Broken: Error {}

    private let clock = TestClock()
    private let bus: EventBus
    private let heard = Journal<String>()

    init() {
        bus = EventBus(clock: clock, logger: .silent)
    }

    private func listen(_ options: ListenerOption..., to pattern: EventPattern = "*") async {
        for option in options { bus.on(pattern, delivery: .serial, option) { [heard] in heard.hear($0) } }
    }

    private func emit(_ name: EventName, _ payload: Payload) async {
        bus.emit(name, payload)
        await bus.waitUntilIdle()
    }

    @Test("the first function is the outermost, and one that does not go on leaves the event out")
    func order() async {
        func around(_ name: String, leavesOut text: String? = nil) -> ListenerOption {
            .around { [heard] event, next in
                heard.write("\(name) begins")
                if event.payload.text != text { try await next(event) }
                heard.write("\(name) ends")
            }
        }
        bus.on("a", delivery: .serial, around("1"), .capacity(5), around("2", leavesOut: "no")) { [heard] in
            heard.hear($0)
        }
        await emit("a", "yes")
        await emit("a", "no")
        let frame = ["1 begins", "2 begins", "2 ends", "1 ends"]
        #expect(heard.entries == ["1 begins", "2 begins", "yes", "2 ends", "1 ends"] + frame)
    }

    @Test("an error of a function is a failure of the listener, which is repeated with all functions")
    func errors() async {
        let attempts = Journal<Int>()
        bus.on(
            "a",
            .retry(3, shortest: .zero, longest: .zero),
            .around { event, next in
                attempts.write(event.attempt)
                try await next(event)
                if event.attempt < 3 { throw Broken() }
            }
        ) { [heard] in heard.hear($0) }
        bus.emit("a", "x")
        await attempts.wait(for: 3)
        await bus.waitUntilIdle()
        #expect(heard.entries == ["x", "x", "x"])
    }

    @Test("a throttle passes on one event of a name in each interval")
    func throttle() async {
        await listen(.throttle(.seconds(1), clock: clock))
        await emit("a", "1")
        await emit("a", "2")
        await emit("b", "3")
        clock.advance(by: .milliseconds(999))
        await emit("a", "4")
        clock.advance(by: .milliseconds(1))
        await emit("a", "5")
        await emit("a", "6")
        #expect(heard.entries == ["1", "3", "5"])
    }

    @Test("what was throttled once is not left out when it is tried again")
    func throttledRetry() async {
        bus.on("a", .retry(3, shortest: .zero, longest: .zero), .throttle(.seconds(1), clock: clock)) { [heard] event in
            heard.write("#\(event.attempt)")
            if event.attempt < 3 { throw Broken() }
        }
        bus.emit("a")
        await heard.wait(for: 3)
        #expect(heard.entries == ["#1", "#2", "#3"])
    }

    @Test("an event that came before is left out, for as long as that is remembered")
    func dedupe() async {
        await listen(.dedupe(within: .seconds(60), clock: clock))
        func event(_ tag: String) -> Event {
            Event(
                id: EventID(source: "far", tag: tag),
                name: "a",
                payload: Payload(tag),
                origin: EventOrigin(bus: "far")
            )
        }
        for tag in ["x", "y", "x"] { bus.emit(event(tag)) }
        await bus.waitUntilIdle()
        clock.advance(by: .seconds(60))
        bus.emit(event("x"))
        await bus.waitUntilIdle()
        #expect(heard.entries == ["x", "y", "x"])
    }

    @Test("a debounce passes on the latest event of a name when none has come for the interval")
    func debounce() async {
        bus.on("*", .debounce(.seconds(1), clock: clock)) { [heard] in heard.hear($0) }
        bus.emit("a", "1")
        bus.emit("b", "2")
        await clock.sleepsBegun(2)
        clock.advance(by: .milliseconds(500))
        bus.emit("a", "3")
        await clock.sleepsBegun(3)
        clock.advance(by: .milliseconds(500))
        await heard.wait(for: 1)
        clock.advance(by: .milliseconds(500))
        await bus.waitUntilIdle()
        #expect(heard.entries == ["2", "3"])
    }

    @Test("only what has changed is passed on, by name and by dead band")
    func onChange() async throws {
        await listen(.onChange)
        for (name, payload) in [("a", "1"), ("a", "1"), ("b", "1"), ("a", "2"), ("a", "1")] as [(EventName, Payload)] {
            await emit(name, payload)
        }
        #expect(heard.entries == ["1", "1", "2", "1"])
        let (levels, passed) = (Topic<Double>("level.{id}"), Journal<Double>())
        bus.on(levels, delivery: .serial, .onChange(of: levels, by: 0.5) { $0 }) { level, _ in passed.write(level) }
        for level in [10, 10.5, 9.5, 10.6, 10.2, 11.2, .nan, 11.2] { try bus.emit(levels(id: "a"), level) }
        await bus.waitUntilIdle()
        #expect(passed.entries.map { $0.isNaN ? -1 : $0 } == [10, 10.6, 11.2, -1, 11.2])
    }

    @Test("a value whose call failed is passed on when it comes again")
    func failed() async {
        bus.on("a", delivery: .serial, .onChange, .dedupe(within: .seconds(9), by: { _ in "" }, clock: clock)) {
            [heard] event in
            heard.hear(event)
            if heard.count == 1 { throw Broken() }
        }
        for _ in 0..<3 { await emit("a", "1") }
        #expect(heard.entries == ["1", "1"])
    }

    @Test("a circuit breaker stops calls after failures in a row, and lets one through after the pause")
    func circuitBreaker() async {
        let (isBroken, calls) = (Locked(true), Journal<Void>())
        bus.on("a", delivery: .serial, .circuitBreaker(after: 2, pause: .seconds(10), clock: clock)) { _ in
            calls.write(())
            if isBroken.withLock({ $0 }) { throw Broken() }
        }
        for _ in 0..<5 { await emit("a", "") }
        #expect(calls.count == 2)
        clock.advance(by: .seconds(10))
        for _ in 0..<5 { await emit("a", "") }
        #expect(calls.count == 3)
        isBroken.withLock { $0 = false }
        clock.advance(by: .seconds(10))
        for _ in 0..<5 { await emit("a", "") }
        #expect(calls.count == 8)
    }

    @Test("the table forgets the oldest entry, and its writes do not pile up")
    func bounds() {
        var table = BoundedTable<Int>()
        let most = BoundedTable<Int>.mostEntries
        for number in 0...most { table["\(number)"] = number }
        #expect(table.count == most && table["0"] == nil && table["1"] == 1)
        for number in 0..<5 * most { table["1"] = number }
        #expect(table["1"] == 5 * most - 1 && table.count <= most)
        table["1"] = nil
        #expect(table["1"] == nil)
    }
}
