import AsyncEventBus
import Mosquitto
import TestSupport
import Testing

@testable import MQTTBridge

@Suite("stalled listeners")
struct ListenerStallsTests {
    private final class Mailbox: Sendable {}

    private let mailbox = Mailbox()
    private let start = ContinuousClock.now

    private func look(
        _ taken: UInt64?,
        waiting: Int = 0,
        exceeded: ContinuousClock.Instant? = nil
    ) -> ListenerLook {
        ListenerLook(
            mailbox: ObjectIdentifier(mailbox),
            name: "one",
            waiting: waiting,
            isHeldUp: waiting > 0,
            progress: taken.map { .taken($0) },
            exceeded: exceeded
        )
    }

    /// Looks each second from `first` to `last`.
    private func looks(
        _ stalls: inout ListenerStalls,
        _ first: Int,
        _ last: Int,
        _ look: (Int) -> ListenerLook
    ) -> [ListenerStalls.Report] {
        (first...last).flatMap { stalls.look([look($0)], at: start + .seconds($0)) }
    }

    @Test("a call that does not end while others wait is told once, within 5 s, and then that the listener gets on")
    func told() {
        var stalls = ListenerStalls()
        let told = looks(&stalls, 0, 60) { look(7, waiting: 3 + $0) }
        #expect(told == [.stalled(listener: "one", age: .seconds(4), waiting: 7)])
        #expect(
            looks(&stalls, 61, 70) { look(UInt64($0), waiting: 1) } == [.recovered(listener: "one", age: .seconds(61))]
        )
    }

    @Test("what goes on, and a call that nobody waits for, is not told")
    func silent() {
        var stalls = ListenerStalls()
        #expect(looks(&stalls, 0, 60) { look(UInt64($0), waiting: 1_000) } == [])
        #expect(looks(&stalls, 61, 120) { _ in look(7) } == [])
        #expect(looks(&stalls, 121, 180) { _ in look(nil) } == [])
    }

    @Test("a call that runs on beyond its limit is told, whether others wait or not")
    func exceeded() {
        var stalls = ListenerStalls()
        let exceeded = start + .milliseconds(500)
        let told = looks(&stalls, 1, 60) { _ in look(7, exceeded: exceeded) }
        #expect(told == [.stalled(listener: "one", age: .milliseconds(3_500), waiting: 0)])
        #expect(looks(&stalls, 61, 62) { _ in look(7) } == [.recovered(listener: "one", age: .milliseconds(60_500))])
    }

    @Test("a slow listener is told again when it takes twice as long")
    func slow() {
        var stalls = ListenerStalls()
        // Each call takes 6 s.
        let first = looks(&stalls, 0, 600) { look(UInt64($0 / 6), waiting: 1) }
        #expect(first.count == 2 && first.last == .recovered(listener: "one", age: .seconds(6)))
        let second = looks(&stalls, 601, 700) { _ in look(1_000, waiting: 1) }
        #expect(second == [.stalled(listener: "one", age: .seconds(12), waiting: 1)])
    }

    @Test("a listener that leaves the bus holds nothing up")
    func leaves() {
        var stalls = ListenerStalls()
        _ = looks(&stalls, 0, 5) { _ in look(7, waiting: 1) }
        #expect(stalls.look([], at: start + .seconds(9)) == [.recovered(listener: "one", age: .seconds(9))])
        #expect(stalls.look([], at: start + .seconds(99)) == [])
    }

    @Test("is told in the log and on the bus")
    func watch() async throws {
        let logs = LogRecorder()
        let bus = EventBus(logger: .silent)
        let context = try BridgeContext.sample(bus, [Route("a", "a")], logger: logs.logger)
        let (gate, begun, told) = (Gate(), Gate(), Locked<[Report]>([]))
        bus.on("a", name: "printer", delivery: .serial) { _ in
            begun.open()
            await gate.pass()
        }
        for pattern in ["$bridge.stalled", "$bridge.recovered"] as [EventPattern] {
            bus.on(pattern, delivery: .serial) { event in told.withLock { $0.append(Report(event)) } }
        }
        let watch = ListenerWatch(context.bus, context.reporter, context.logger)
        for _ in 1...3 { bus.emit("a") }
        await begun.pass()
        for seconds in 0...5 { watch.look(at: start + .seconds(seconds)) }
        gate.open()
        await bus.waitUntilIdle()
        watch.look(at: start + .seconds(6))
        await bus.waitUntilIdle()
        let reports = told.withLock { $0 }
        #expect(reports.map(\.name) == ["$bridge.stalled", "$bridge.recovered"])
        #expect(reports.map { $0["hop"] } == ["listener", "listener"])
        #expect(reports.map { $0["listener"] } == ["printer", "printer"])
        #expect(logs.lines.map(\.message) == ["a listener does not return", "the listener has returned"])
    }
}
