import EventBridgeTesting
import TestSupport
import Testing

@testable import AsyncEventBus

@Suite("TimedCall", .timeLimit(.deadlock))
struct TimedCallTests {
    /// A clock whose sleepers do not hear of a cancellation, and wake when told to.
    private struct DeafClock: Clock {
        let gate: Gate
        var now: TestClock.Instant { TestClock().now }
        let minimumResolution = Duration.nanoseconds(1)

        func sleep(until deadline: TestClock.Instant, tolerance: Duration?) async throws { await gate.pass() }
    }

    private struct BrokenClock: Clock {
        struct Broken: Error {}
        var now: TestClock.Instant { TestClock().now }
        let minimumResolution = Duration.nanoseconds(1)

        func sleep(until deadline: TestClock.Instant, tolerance: Duration?) async throws { throw Broken() }
    }

    private struct Broken: Error {}

    private let event = Event(
        id: EventID(source: "test", tag: "1"),
        name: "a",
        payload: "",
        origin: EventOrigin(bus: "test")
    )
    private let told = Journal<Void>()

    private func run(clock: any Clock<Duration>, body: @escaping Listener.Body) async -> String {
        let told = told
        return
            switch await TimedCall(body: body, limit: .seconds(1), clock: clock)
            .run(event, timeIsOver: { _ in told.write(()) })
        {
        case .returned: "returned"
        case .threw: "threw"
        case .tookTooLong: "took too long"
        }
    }

    @Test(
        "a call that has ended is not also told as too long, when the timer ends at the same instant",
        arguments: [false, true]
    )
    func bodyFirst(fails: Bool) async {
        let (gate, isOver) = (Gate(), Gate())
        // The timer wakes only after the body is over, and finds that out by itself.
        let opener = Task {
            await isOver.pass()
            gate.open()
        }
        let ending = await run(clock: DeafClock(gate: gate)) { _ in
            defer { isOver.open() }
            if fails { throw Broken() }
            await Task.yield()
        }
        await opener.value
        #expect((ending == "took too long") == (told.count == 1))
        #expect(ending == (fails ? "threw" : "returned") || told.count == 1)
    }

    @Test("a call whose time is over is told so even if it then returns well")
    func timerFirst() async {
        let (clock, told) = (TestClock(), told)
        let advancing = Task {
            await clock.sleepsBegun(1)
            clock.advance(by: .seconds(1))
        }
        let ending = await run(clock: clock) { _ in await told.wait(for: 1) }
        await advancing.value
        #expect(ending == "took too long" && told.count == 1)
    }

    @Test("whoever comes first, there is one outcome")
    func race() async {
        for round in 1...200 {
            let (clock, gate, told) = (TestClock(), Gate(), Journal<Void>())
            let call = TimedCall(body: { _ in await gate.pass() }, limit: .seconds(1), clock: clock)
            async let ending = call.run(event) { _ in told.write(()) }
            await clock.sleepsBegun(1)
            async let timer: Void = clock.advance(by: .seconds(1))
            async let body: Void = gate.open()
            _ = await (timer, body)
            if case .tookTooLong = await ending {
                #expect(told.count == 1, "round \(round)")
            } else {
                #expect(told.count == 0, "round \(round)")
            }
        }
    }

    @Test("a clock that fails does not end the call")
    func brokenClock() async {
        #expect(await run(clock: BrokenClock()) { _ in for _ in 0..<20 { await Task.yield() } } == "returned")
        #expect(told.count == 0)
    }
}
