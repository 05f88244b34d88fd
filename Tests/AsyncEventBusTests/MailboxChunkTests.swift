import TestSupport
import Testing

@testable import AsyncEventBus

/// What a mailbox promises whose workers take many events at a time.
@Suite("Mailbox: many at a time", .timeLimit(.deadlock))
struct MailboxChunkTests {
    private let bus = EventBus(logger: .silent)
    private let gate = Gate()
    private let begun = Journal<Int>()

    private func batch(_ numbers: some Sequence<Int>) -> EventBatch {
        let destination = bus.destination(for: "a")
        var batch = EventBatch()
        for number in numbers {
            let event = Event(
                id: EventID(source: "test", tag: "\(number)"),
                name: "a",
                payload: Payload(number: number),
                origin: EventOrigin(bus: "test")
            )
            batch.append(event, to: destination)
        }
        return batch
    }

    @Test("a call that is suspended holds up none of those that came with it, up to the limit")
    func suspended() async {
        let (gate, begun, crowd) = (gate, begun, Crowd())
        bus.on("a", delivery: .concurrent(limit: 8)) { event in
            crowd.enter()
            begun.write(event.number)
            if event.number < 1_000 { await gate.pass() }
            crowd.leave()
        }
        // Many quick ones, so that the mailbox has one worker that takes all.
        var quick = batch(1_000..<1_600)
        bus.emit(&quick)
        await bus.waitUntilIdle()
        var slow = batch(0..<20)
        bus.emit(&slow)
        await begun.wait(for: 608)
        #expect(Set(begun.entries.suffix(8)) == Set(0..<8))
        gate.open()
        await bus.waitUntilIdle()
        #expect(begun.count == 620 && crowd.most == 8)
    }

    @Test("an event that comes while a quick listener is held up for once is heard at once")
    func heldUp() async {
        let (gate, begun) = (gate, begun)
        bus.on("a") { event in
            begun.write(event.number)
            if event.number == 0 { await gate.pass() }
        }
        var quick = batch(1_000..<1_600)
        bus.emit(&quick)
        await bus.waitUntilIdle()
        var held = batch([0])
        bus.emit(&held)
        await begun.wait(for: 601)
        for number in 1...200 {
            var next = batch([number])
            bus.emit(&next)
            await begun.wait(for: 601 + number)
        }
        gate.open()
        await bus.waitUntilIdle()
        #expect(Array(begun.entries.suffix(201)) == Array(0...200))
    }

    @Test("a listener that is removed in the middle hears nothing more of what it was given, and all is settled")
    func removed() async throws {
        let (gate, begun, ended) = (gate, begun, FakeTracker())
        let listener = Listener(durable: "l", delivery: .serial) { event in
            begun.write(event.number)
            await gate.pass()
        }
        try bus.addListener(listener, to: "a")
        let sink = try #require(bus.durable(for: "a").first)
        let event = Event(id: bus.id(bus.makeNumber()), name: "a", payload: "0", origin: EventOrigin(bus: "test"))
        sink.offer(contentsOf: (0..<50).map { _ in (event, 1, ended) })
        await begun.wait(for: 1)
        bus.removeListener(listener)
        gate.open()
        await ended.outcomes.wait(for: 50)
        #expect(begun.count == 1)
        #expect(ended.outcomes.entries.filter { $0 == "removed" }.count == 49)
    }

    @Test("when the mailbox is full, the oldest that waits is discarded, also of those that a worker has been given")
    func dropOldest() async {
        let (gate, begun) = (gate, begun)
        let listener = bus.on("a", delivery: .serial, .capacity(5)) { event in
            begun.write(event.number)
            await gate.pass()
        }
        var first = batch(0..<5)
        bus.emit(&first)
        await begun.wait(for: 1)
        var second = batch(5..<9)
        bus.emit(&second)
        #expect(bus.load(of: listener)?.waiting == 5 && bus.load(of: listener)?.dropped == 3)
        gate.open()
        await bus.waitUntilIdle()
        #expect(begun.entries == [0, 4, 5, 6, 7, 8])
    }

    @Test("a sender waits while the mailbox is full, and goes on with the next call, not after all that were given out")
    func sender() async throws {
        let (bus, begun, gates) = (bus, begun, [Gate(), Gate(), Gate(), Gate(), Gate()])
        bus.on("a", delivery: .serial, .capacity(3)) { event in
            begun.write(event.number)
            await gates[event.number].pass()
        }
        var first = batch(0..<1)
        bus.emit(&first)
        await begun.wait(for: 1)
        var second = batch(1..<4)
        bus.emit(&second)
        let executor = StepExecutor()
        let sender = Task(executorPreference: executor) { try await bus.emitWhenRoom("a", Payload(number: 4)) }
        executor.step()
        gates[0].open()
        await begun.wait(for: 2)
        executor.runFreely()
        try await sender.value
        #expect(begun.count == 2)
        for gate in gates { gate.open() }
        await bus.waitUntilIdle()
        #expect(begun.entries == [0, 1, 2, 3, 4])
    }

    @Test("an error in the middle is told, and the rest goes on")
    func failure() async {
        let (begun, told) = (begun, Journal<String>())
        bus.on("$bus.failed") { told.write($0.attributes[header: "event-id"] ?? "") }
        bus.on("a", delivery: .serial) { event in
            begun.write(event.number)
            if event.number == 2 { throw CancellationError() }
        }
        var events = batch(0..<5)
        bus.emit(&events)
        await bus.waitUntilIdle()
        #expect(begun.entries == [0, 1, 2, 3, 4] && told.entries == ["test/2"])
    }
}
