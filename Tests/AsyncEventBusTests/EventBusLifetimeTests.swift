import EventBridgeTesting
import TestSupport
import Testing

@testable import AsyncEventBus

@Suite("EventBus: end of life", .timeLimit(.deadlock))
struct EventBusLifetimeTests {
    @Test("a bus that is no longer referred to lets its listeners finish what waits")
    func eventsWait() async throws {
        let (heard, gate, released) = (Journal<String>(), Gate(), Journal<Void>())
        weak var abandoned: EventBus?
        let last: Receipt
        do {
            let bus = EventBus(logger: .silent)
            abandoned = bus
            let guardian = Guardian { released.write(()) }
            bus.on("a", delivery: .serial) { event in
                withExtendedLifetime(guardian) { heard.hear(event) }
                await gate.pass()
            }
            for number in 0..<9 { bus.emit("a", "\(number)") }
            last = bus.tracked.emit("a", "9")
            await heard.wait(for: 1)
        }
        #expect(abandoned == nil)
        #expect(heard.count == 1)
        gate.open()
        try await last.finished()
        #expect(heard.entries == (0..<10).map(String.init))
        // The mailbox and the listener go with the last worker.
        await released.wait(for: 1)
    }

    @Test("a listener that fails after its bus has gone reports to nobody, and harms nobody")
    func failsAfterwards() async throws {
        let (gate, clock) = (Gate(), TestClock())
        let receipts: [Receipt]
        do {
            let bus = EventBus(clock: clock, logger: .silent)
            bus.on("a", .timeout(.seconds(1))) { _ in
                await gate.pass()
                throw CancellationError()
            }
            bus.on("b", .timeout(.seconds(1))) { _ in try await gate.passUnlessCancelled() }
            receipts = [bus.tracked.emit("a"), bus.tracked.emit("b")]
            await clock.sleepsBegun(2)
        }
        clock.advance(by: .seconds(1))
        gate.open()
        for receipt in receipts {
            try await receipt.finished()
            #expect(receipt.summary.finished == 1)
        }
    }

    @Test("an idle bus keeps nothing alive: listeners and transports go with it")
    func nothingKept() async {
        let released = Journal<Void>()
        weak var transport: FakeTransport?
        do {
            let bus = EventBus(logger: .silent)
            let attached = FakeTransport()
            transport = attached
            bus.attach(attached, to: ["**"])
            let guardian = Guardian { released.write(()) }
            bus.on("a") { _ in withExtendedLifetime(guardian) {} }
            bus.emit("a")
            await bus.waitUntilIdle()
        }
        await released.wait(for: 1)
        #expect(transport == nil)
    }

    @Test("a removed listener is let go")
    func removedListener() async {
        let bus = EventBus(logger: .silent)
        weak var listener: Listener?
        do {
            let added = bus.on("a.*") { _ in }
            listener = added
            bus.emit("a.b")
            await bus.waitUntilIdle()
            bus.removeListener(added)
        }
        // The bus remembers who wanted a name; what it remembered went with the listener.
        #expect(listener == nil)
    }

    @Test("a removal that waits returns when the calls that had begun have ended, and what waited is not heard")
    func removalWaits() async {
        let (bus, gate, executor) = (EventBus(logger: .silent), Gate(), StepExecutor())
        let (begun, ended) = (Journal<String>(), Journal<String>())
        let listener = bus.on("a", delivery: .serial) { event in
            begun.write(event.payload.text ?? "")
            await gate.pass()
            ended.write(event.payload.text ?? "")
        }
        for text in ["running", "waiting"] { bus.emit("a", Payload(text)) }
        await begun.wait(for: 1)
        let removal = Task(executorPreference: executor) { await bus.removeListenerAndWait(listener) }
        executor.step()
        #expect(bus.load(of: listener) == nil)
        gate.open()
        executor.runFreely()
        #expect(await removal.value)
        #expect(ended.entries == ["running"] && begun.entries == ["running"])
        #expect(await !bus.removeListenerAndWait(listener), "it is no longer there")
    }
}
