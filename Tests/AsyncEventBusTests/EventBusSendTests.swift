import EventBridgeTesting
import TestSupport
import Testing

@testable import AsyncEventBus

/// Senders run on an executor that runs only on demand: after a step, what has not been sent is suspended.
@Suite("EventBus: send", .timeLimit(.deadlock))
struct EventBusSendTests {
    private let bus = EventBus(logger: .silent)
    private let executor = StepExecutor()
    private let gate = Gate()
    private let heard = Journal<String>()
    private let sent = Journal<String>()

    /// A serial listener with room for two, that is held up with one event of its own.
    private func addHeldListener() async -> Listener {
        let (heard, gate) = (heard, gate)
        let listener = bus.on("a", delivery: .serial, .capacity(2)) { event in
            heard.hear(event)
            await gate.pass()
        }
        bus.emit("a", "held")
        await heard.wait(for: 1)
        return listener
    }

    private func sender(_ payloads: [String], scope: Scope = .everywhere) -> Task<Void, any Error> {
        let (bus, sent) = (bus, sent)
        return Task(executorPreference: executor) {
            for payload in payloads {
                try await bus.emitWhenRoom("a", Payload(payload), scope: scope)
                sent.write(payload)
            }
        }
    }

    @Test("send suspends while a mailbox is full, loses nothing, and goes on in order when there is room")
    func suspends() async throws {
        let listener = await addHeldListener()
        let payloads = (0..<10).map(String.init)
        let task = sender(payloads)
        executor.step()
        #expect(sent.entries == ["0", "1"])
        #expect(bus.load(of: listener)?.waiting == 2)
        executor.runFreely()
        gate.open()
        try await task.value
        await bus.waitUntilIdle()
        #expect(heard.entries == ["held"] + payloads)
        #expect(sent.entries == payloads)
    }

    @Test("senders that wait are let in in the order they came, and one at a time")
    func admittedInOrder() async throws {
        _ = await addHeldListener()
        let first = sender(["0", "1", "2"])
        executor.step()
        let others = ["x", "y", "z"].map { sender([$0]) }
        executor.step()
        #expect(sent.entries == ["0", "1"])
        executor.runFreely()
        gate.open()
        for task in [first] + others { try await task.value }
        await bus.waitUntilIdle()
        #expect(heard.entries == ["held", "0", "1", "2", "x", "y", "z"])
    }

    @Test("a sender that is cancelled while it waits throws, its event is not delivered, and others are")
    func cancelled() async throws {
        _ = await addHeldListener()
        let first = sender(["0", "1"])
        executor.step()
        let (cancelled, other) = (sender(["cancelled"]), sender(["other"]))
        executor.step()
        cancelled.cancel()
        executor.step()
        await #expect(throws: CancellationError.self) { try await cancelled.value }
        executor.runFreely()
        gate.open()
        try await first.value
        try await other.value
        await bus.waitUntilIdle()
        #expect(heard.entries == ["held", "0", "1", "other"])
    }

    @Test("a task that is cancelled already sends nothing to a listener")
    func cancelledBefore() async {
        let heard = heard
        bus.on("a") { heard.hear($0) }
        let task = sender(["1"])
        task.cancel()
        executor.runFreely()
        await #expect(throws: CancellationError.self) { try await task.value }
        await bus.waitUntilIdle()
        #expect(heard.entries.isEmpty)
    }

    @Test("a sender that is cancelled in the instant before it would wait does not wait")
    func cancelledOnTheWay() async throws {
        let (heard, gate) = (heard, gate)
        // The key is asked for on the sender's way to the mailbox.
        let delivery = DeliveryMode.keyed(limit: 1) { event in
            if event.payload == "cancelled" { withUnsafeCurrentTask { $0?.cancel() } }
            return ""
        }
        bus.on("a", delivery: delivery, .capacity(1)) { event in
            heard.hear(event)
            await gate.pass()
        }
        bus.emit("a", "held")
        await heard.wait(for: 1)
        let task = sender(["waiting", "cancelled"])
        executor.runFreely()
        await #expect(throws: CancellationError.self) { try await task.value }
        gate.open()
        await bus.waitUntilIdle()
        #expect(heard.entries == ["held", "waiting"])
    }

    @Test("cancelling at any moment either delivers and returns, or throws and does not deliver")
    func cancelledAnytime() async {
        for round in 0..<200 {
            let (bus, heard, gate) = (EventBus(logger: .silent), Journal<String>(), Gate())
            bus.on("a", delivery: .serial, .capacity(1)) { event in
                heard.hear(event)
                await gate.pass()
            }
            for _ in 0..<2 { bus.emit("a", "filler") }
            let task = Task { try await bus.emitWhenRoom("a", "sent") }
            let canceller = Task { task.cancel() }
            gate.open()
            let result = await task.result
            await canceller.value
            await bus.waitUntilIdle()
            let wasDelivered = heard.entries.contains("sent")
            #expect(wasDelivered == ((try? result.get()) != nil), "round \(round)")
        }
    }

    @Test("a sender that waits for a listener which is removed goes on, and its event is not delivered")
    func listenerRemoved() async throws {
        let listener = await addHeldListener()
        let task = sender(["0", "1", "2", "3"])
        executor.step()
        #expect(sent.count == 2)
        bus.removeListener(listener)
        executor.runFreely()
        try await task.value
        gate.open()
        #expect(sent.count == 4)
        #expect(heard.entries == ["held"])
    }

    @Test(
        "what was sent is not displaced by what is emitted later: that is discarded and counted, and senders keep their turn",
        arguments: [false, true],
        [1, 2]
    )
    func emitWhileSendersWait(hasKeys: Bool, attempts: Int) async throws {
        let (heard, gate) = (heard, gate)
        let listener = Listener(
            "l",
            delivery: hasKeys ? .keyed(limit: 1) { _ in "" } : .serial,
            .capacity(2),
            .retry(attempts)
        ) { event in
            heard.hear(event)
            await gate.pass()
        }
        try bus.addListener(listener, to: "a")
        bus.emit("a", "held")
        await heard.wait(for: 1)
        let task = sender(["0", "1", "2"])
        executor.step()
        let receipt = bus.tracked.emit("a", "emitted")
        var batch = EventBatch()
        batch.append(bus.event("a", "brought in"), to: bus.destination(for: "a"))
        bus.emit(&batch)
        #expect(receipt.summary.discarded == 1)
        #expect(bus.load(of: listener)?.dropped == 2)
        executor.runFreely()
        gate.open()
        try await task.value
        await bus.waitUntilIdle()
        #expect(heard.entries == ["held", "0", "1", "2"])
    }

    @Test("what is emitted displaces what was emitted before, and passes over what was sent")
    func emitBesideSent() async throws {
        _ = await addHeldListener()
        bus.emit("a", "1")
        let task = sender(["sent"])
        executor.runFreely()
        try await task.value
        bus.emit("a", "2")
        bus.emit("a", "3")
        gate.open()
        await bus.waitUntilIdle()
        #expect(heard.entries == ["held", "sent", "3"])
    }

    @Test("what was sent and is tried again after a failure is not displaced while it rests")
    func emitWhileSentRests() async throws {
        let (clock, heard) = (TestClock(), heard)
        let bus = EventBus(clock: clock, logger: .silent)
        let retry = RetryPolicy(attempts: 2, shortest: .seconds(1))
        bus.on("a", delivery: .serial, .capacity(1), .retry(retry)) { event in
            heard.hear(event)
            if event.attempt == 1 { throw CancellationError() }
        }
        try await bus.emitWhenRoom("a", "sent")
        await clock.sleepsBegun(1)
        bus.emit("a", "emitted")
        clock.advance(by: .seconds(10))
        await bus.waitUntilIdle()
        #expect(heard.entries == ["sent", "sent"])
    }

    @Test("send waits for each full mailbox in turn, and a quick listener hears in the meantime")
    func severalListeners() async throws {
        let quick = Journal<String>()
        bus.on("a", delivery: .serial) { quick.hear($0) }
        _ = await addHeldListener()
        let task = sender(["0", "1", "2", "3"])
        executor.runFreely()
        await sent.wait(for: 2)
        await quick.wait(for: 3)
        #expect(heard.count == 1 && sent.count == 2)
        gate.open()
        try await task.value
        await bus.waitUntilIdle()
        #expect(quick.entries == ["held", "0", "1", "2", "3"])
        #expect(heard.entries == quick.entries)
    }

    @Test("send waits for room in a transport, tries again, and then goes on to the listeners")
    func relayRoom() async throws {
        let (transport, heard) = (FakeTransport(answer: .full), heard)
        bus.attach(transport, to: ["**"])
        bus.on("a") { heard.hear($0) }
        let task = sender(["1"])
        executor.step()
        #expect(transport.waitingForRoom.count == 1)
        transport.answer(.full)
        executor.step()
        #expect(transport.waitingForRoom.count == 2)
        #expect(sent.count == 0 && heard.count == 0)
        executor.runFreely()
        transport.answer(.taken)
        try await task.value
        await bus.waitUntilIdle()
        #expect(transport.offered.count == 3 && transport.taken.count == 1 && transport.discarded.count == 0)
        #expect(Set(transport.offered.entries.map(\.id)).count == 1)
        #expect(heard.entries == ["1"])
    }

    @Test("a sender that is cancelled while it waits for a transport throws, and no listener hears the event")
    func relayCancelled() async {
        let (transport, heard) = (FakeTransport(answer: .full), heard)
        bus.attach(transport, to: ["**"])
        bus.on("a") { heard.hear($0) }
        let task = sender(["1"])
        executor.step()
        task.cancel()
        executor.runFreely()
        await #expect(throws: CancellationError.self) { try await task.value }
        await bus.waitUntilIdle()
        #expect(transport.taken.count == 0 && heard.count == 0)
    }

    @Test("a sender that is cancelled throws although its transport finds room where there is none")
    func relaySpins() async {
        let (transport, heard) = (FakeTransport(answer: .full, findsRoom: true), heard)
        bus.attach(transport, to: ["**"])
        bus.on("a") { heard.hear($0) }
        let task = sender(["1"])
        executor.runFreely()
        await transport.waitingForRoom.wait(for: 3)
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        await bus.waitUntilIdle()
        #expect(transport.taken.count == 0 && heard.count == 0)
    }

    @Test("a transport that declines is not waited for")
    func relayDeclines() async throws {
        let transport = FakeTransport(answer: .declined)
        bus.attach(transport, to: ["**"])
        let task = sender(["1"])
        executor.step()
        try await task.value
        #expect(transport.offered.count == 1 && transport.waitingForRoom.count == 0)
    }
}
