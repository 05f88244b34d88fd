import TestSupport
import Testing

@testable import AsyncEventBus

@Suite("Receipt: stored", .timeLimit(.deadlock))
struct ReceiptStoredTests {
    private struct Refusal: Error, Equatable {
        let reason: String
    }

    private let bus = EventBus(logger: .silent)
    private let executor = StepExecutor()

    private func transports(_ storing: [Bool]) -> [FakeTransport] {
        let transports = storing.map { FakeTransport(isStoring: $0) }
        for transport in transports { bus.attach(transport, to: ["**"]) }
        return transports
    }

    private func waiter(_ receipt: Receipt) -> (task: Task<Void, any Error>, returned: Journal<Void>) {
        let returned = Journal<Void>()
        let task = Task(executorPreference: executor) {
            try await receipt.stored()
            returned.write(())
        }
        executor.step()
        return (task, returned)
    }

    @Test("stored returns once every transport that keeps events has it, whether it is published or not")
    func stored() async throws {
        let transports = transports([true, true, false])
        let receipt = bus.tracked.emit("a")
        let (task, returned) = waiter(receipt)
        #expect(receipt.summary.storing == 2 && receipt.summary.relayed == 3)
        transports[0].receipts.entries[0].didStore()
        executor.step()
        #expect(returned.count == 0)
        transports[1].receipts.entries[0].didStore()
        executor.runFreely()
        try await task.value
        #expect(receipt.summary.stored == 2 && receipt.summary.published == 0)
    }

    @Test("stored throws when no transport keeps the event", arguments: [true, false])
    func notStored(isRelayed: Bool) async throws {
        if isRelayed { _ = transports([false]) }
        let error = try await #require(throws: EventBusError.self) { try await bus.tracked.emit("a").stored() }
        #expect(error.code == .notStored && error.operation == "store \"a\"")
    }

    @Test("what could not be stored is not published either, and both tell why")
    func refused() async throws {
        let transports = transports([true, true])
        let receipt = bus.tracked.emit("a")
        let (task, returned) = waiter(receipt)
        transports[0].receipts.entries[0].didRefuse(Refusal(reason: "disk full"))
        executor.step()
        #expect(returned.count == 0)
        transports[1].receipts.entries[0].didStore()
        transports[1].receipts.entries[0].didPublish()
        executor.runFreely()
        await #expect(throws: Refusal(reason: "disk full")) { try await task.value }
        await #expect(throws: Refusal(reason: "disk full")) { try await receipt.published() }
        #expect(receipt.summary.refused == 1 && receipt.summary.published == 1 && receipt.summary.stored == 1)
    }

    @Test("what is stored stays so when it is refused later")
    func refusedLater() async throws {
        let transport = transports([true])[0]
        let receipt = bus.tracked.emit("a")
        transport.receipts.entries[0].didStore()
        transport.receipts.entries[0].didRefuse(Refusal(reason: "not authorised"))
        try await receipt.stored()
        await #expect(throws: Refusal(reason: "not authorised")) { try await receipt.published() }
    }

    @Test("a refusal by a transport that does not keep events is no end of another's storing")
    func refusedElsewhere() async throws {
        let transports = transports([false, true])
        let receipt = bus.tracked.emit("a")
        let (task, returned) = waiter(receipt)
        transports[0].receipts.entries[0].didRefuse(Refusal(reason: "quota"), endsStoring: false)
        executor.step()
        #expect(returned.count == 0)
        transports[1].receipts.entries[0].didStore()
        executor.runFreely()
        try await task.value
    }

    @Test("stored throws when the only transport is full")
    func full() async throws {
        bus.attach(FakeTransport(answer: .full), to: ["**"])
        let error = try await #require(throws: EventBusError.self) { try await bus.tracked.emit("a").stored() }
        #expect(error.code == .refused && error.detail.contains("full"))
    }

    @Test("waiting for the disk can be cancelled")
    func cancelled() async throws {
        let transport = transports([true])[0]
        let receipt = bus.tracked.emit("a")
        let (cancelled, other) = (waiter(receipt), waiter(receipt))
        cancelled.task.cancel()
        executor.runFreely()
        await #expect(throws: CancellationError.self) { try await cancelled.task.value }
        transport.receipts.entries[0].didStore()
        try await other.task.value
    }

    @Test("a tracked send waits for room, and then gives its receipt")
    func sendTracked() async throws {
        let (bus, gate, transport, sent) = (
            bus, Gate(), FakeTransport(answer: .full, isStoring: true), Journal<Receipt>()
        )
        bus.attach(transport, to: ["**"])
        let heard = Journal<String>()
        bus.on("a", delivery: .serial, .capacity(1)) { event in
            heard.hear(event)
            await gate.pass()
        }
        bus.emit("a", "running", scope: .local)
        await heard.wait(for: 1)
        bus.emit("a", "waiting", scope: .local)
        let task = Task(executorPreference: executor) { sent.write(try await bus.tracked.emitWhenRoom("a", "sent")) }
        executor.step()
        #expect(transport.offered.count == 1 && transport.taken.count == 0)
        transport.answer(.taken)
        executor.step()
        #expect(transport.taken.count == 1 && sent.count == 0)
        executor.runFreely()
        gate.open()
        try await task.value
        let receipt = try #require(sent.entries.first)
        #expect(receipt.id == transport.taken.entries[0].id)
        transport.receipts.entries[0].didStore()
        try await receipt.stored()
        transport.receipts.entries[0].didPublish()
        try await receipt.published()
        try await receipt.finished()
        #expect(receipt.summary.finished == 1 && receipt.summary.relayed == 1)
        await bus.waitUntilIdle()
        #expect(heard.entries == ["running", "waiting", "sent"])
    }

    @Test("a tracked send that is cancelled throws")
    func sendTrackedCancelled() async throws {
        let (bus, transport) = (bus, FakeTransport(answer: .full))
        bus.attach(transport, to: ["**"])
        let task = Task(executorPreference: executor) { _ = try await bus.tracked.emitWhenRoom("a") }
        executor.step()
        task.cancel()
        executor.runFreely()
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(transport.taken.count == 0)
    }
}
