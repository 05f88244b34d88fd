import TestSupport
import Testing

@testable import AsyncEventBus

@Suite("EventBus: from inside a listener, and while one runs", .timeLimit(.deadlock))
struct EventBusReentryTests {
    private let bus = EventBus(logger: .silent)
    private let heard = Journal<String>()

    @Test("a listener can emit to itself: the events queue up")
    func emitToItself() async {
        let (bus, heard) = (bus, heard)
        bus.on("a", delivery: .serial) { event in
            heard.hear(event)
            guard let number = event.payload.text.flatMap(Int.init), number < 100 else { return }
            bus.emit("a", "\(number + 1)")
            // The call goes on: what it emitted to itself waits until it is over.
            heard.write("after \(number)")
        }
        bus.emit("a", "0")
        await bus.waitUntilIdle()
        #expect(heard.entries == (0..<100).flatMap { ["\($0)", "after \($0)"] } + ["100"])
    }

    @Test("a listener added by a listener hears what is emitted afterwards, and nothing from before")
    func addInside() async throws {
        let (bus, heard, gate) = (bus, heard, Gate())
        let added = Listener("added", delivery: .serial) { heard.hear($0) }
        bus.on("a", delivery: .serial) { _ in
            await gate.pass()
            if try bus.addListener(added, to: "a") { bus.emit("a", "from inside") }
        }
        bus.emit("a", "before")
        bus.emit("a", "also before")
        gate.open()
        await bus.waitUntilIdle()
        bus.emit("a", "after")
        await bus.waitUntilIdle()
        #expect(heard.entries == ["from inside", "after"])
    }

    @Test("a listener removed while it runs ends that call, begins no other, and what waited is discarded")
    func removeWhileRunning() async throws {
        let (heard, gate) = (heard, Gate())
        let listener = bus.on("a", delivery: .serial) { event in
            heard.write("begin \(event.payload.text ?? "")")
            await gate.pass()
            heard.write("end \(event.payload.text ?? "") cancelled: \(Task.isCancelled)")
        }
        let running = bus.tracked.emit("a", "1")
        await heard.wait(for: 1)
        let waiting = [bus.tracked.emit("a", "2"), bus.tracked.emit("a", "3")]
        bus.removeListener(listener)
        for receipt in waiting {
            try await receipt.finished()
            #expect(receipt.summary.discarded == 1 && receipt.summary.delivered == 0)
        }
        #expect(bus.tracked.emit("a", "4").summary == ReceiptSummary())
        gate.open()
        try await running.finished()
        #expect(running.summary.finished == 1 && running.summary.discarded == 0)
        #expect(heard.entries == ["begin 1", "end 1 cancelled: false"])
    }

    @Test("a listener can remove itself")
    func removeItself() async throws {
        let (bus, heard) = (bus, heard)
        let listener = Mailed<Listener>()
        listener.put(
            bus.on("a", delivery: .serial) { event in
                heard.hear(event)
                bus.removeListener(await listener.value)
            }
        )
        let receipts = (0..<5).map { bus.tracked.emit("a", "\($0)") }
        for receipt in receipts { try await receipt.finished() }
        #expect(heard.entries == ["0"])
    }

    @Test("a listener that comes back after it was removed hears what is emitted from then on")
    func removeAndAdd() async throws {
        let heard = heard
        let listener = bus.on("a", delivery: .serial) { heard.hear($0) }
        for round in 0..<100 {
            bus.removeListener(listener)
            bus.emit("a", "missed")
            try bus.addListener(listener, to: "a")
            bus.emit("a", "\(round)")
            await bus.waitUntilIdle()
        }
        #expect(heard.entries == (0..<100).map(String.init))
    }

    @Test("listeners come and go while others emit, and those that stay miss nothing")
    func churn() async {
        let (bus, heard) = (bus, heard)
        bus.on("a.*", delivery: .serial, .capacity(10_000)) { heard.hear($0) }
        await withTaskGroup { group in
            for _ in 0..<2 {
                group.addTask { for number in 0..<1_000 { bus.emit("a.b", "\(number)") } }
                group.addTask {
                    for _ in 0..<300 {
                        let listener = bus.on("a.**") { _ in }
                        await Task.yield()
                        bus.removeListener(listener)
                    }
                }
            }
        }
        await bus.waitUntilIdle()
        #expect(heard.count == 2_000)
    }
}
