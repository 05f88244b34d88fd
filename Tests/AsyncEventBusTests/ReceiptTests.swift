import TestSupport
import Testing

@testable import AsyncEventBus

@Suite("Receipt", .timeLimit(.deadlock))
struct ReceiptTests {
    private struct Refusal: Error, Equatable {
        let reason: String
    }

    private let bus = EventBus(logger: .silent)
    private let gate = Gate()

    /// Waits on an executor that runs on demand, so that what has not returned after a step is suspended.
    private func waiter(
        on executor: StepExecutor,
        _ wait: @escaping @Sendable () async throws -> Void
    ) -> (task: Task<Void, any Error>, returned: Journal<Void>) {
        let returned = Journal<Void>()
        let task = Task(executorPreference: executor) {
            try await wait()
            returned.write(())
        }
        executor.step()
        return (task, returned)
    }

    @Test("finished returns once the last listener has, and not before")
    func finished() async throws {
        let (gate, executor) = (gate, StepExecutor())
        bus.on("a", name: "slow") { _ in await gate.pass() }
        bus.on("a", name: "quick") { _ in }
        let receipt = bus.tracked.emit("a")
        let (task, returned) = waiter(on: executor) { try await receipt.finished() }
        #expect(returned.count == 0)
        #expect(receipt.summary.delivered == 2)
        executor.runFreely()
        gate.open()
        try await task.value
        #expect(receipt.summary.finished == 2 && receipt.summary.failed == 0)
    }

    @Test("finished returns at once where nobody listens, and again whenever it is asked")
    func nobody() async throws {
        let receipt = bus.tracked.emit("a")
        for _ in 0..<2 { try await receipt.finished() }
        #expect(receipt.summary == ReceiptSummary())
    }

    @Test("a listener that throws has finished")
    func failing() async throws {
        bus.on("a") { _ in throw CancellationError() }
        let receipt = bus.tracked.emit("a")
        try await receipt.finished()
        #expect(receipt.summary.finished == 1 && receipt.summary.failed == 1)
    }

    @Test("waiting can be cancelled, and others go on waiting")
    func cancellation() async throws {
        let (gate, executor) = (gate, StepExecutor())
        bus.on("a") { _ in await gate.pass() }
        let receipt = bus.tracked.emit("a")
        let cancelled = waiter(on: executor) { try await receipt.finished() }
        let other = waiter(on: executor) { try await receipt.finished() }
        cancelled.task.cancel()
        executor.runFreely()
        await #expect(throws: CancellationError.self) { try await cancelled.task.value }
        #expect(other.returned.count == 0)
        gate.open()
        try await other.task.value
        #expect(receipt.summary.finished == 1)
    }

    @Test("a task that is cancelled already does not wait")
    func cancelledBefore() async {
        let (gate, executor) = (gate, StepExecutor())
        bus.on("a") { _ in await gate.pass() }
        let receipt = bus.tracked.emit("a")
        let task = Task(executorPreference: executor) { try await receipt.finished() }
        task.cancel()
        executor.runFreely()
        await #expect(throws: CancellationError.self) { try await task.value }
        gate.open()
        await bus.waitUntilIdle()
    }

    @Test("published returns once every transport has delivered, and not before")
    func published() async throws {
        let (transports, executor) = (
            [FakeTransport(), FakeTransport(), FakeTransport(answer: .declined)], StepExecutor()
        )
        for transport in transports { bus.attach(transport, to: ["**"]) }
        let receipt = bus.tracked.emit("a")
        let (task, returned) = waiter(on: executor) { try await receipt.published() }
        transports[0].receipts.entries[0].didPublish()
        executor.step()
        #expect(returned.count == 0)
        transports[1].receipts.entries[0].didPublish()
        executor.runFreely()
        try await task.value
        #expect(receipt.summary.relayed == 2 && receipt.summary.published == 2)
    }

    @Test("published throws the first refusal of a transport, after all are done")
    func refused() async throws {
        let (transports, executor) = ([FakeTransport(), FakeTransport()], StepExecutor())
        for transport in transports { bus.attach(transport, to: ["**"]) }
        let receipt = bus.tracked.emit("a")
        let (task, returned) = waiter(on: executor) { try await receipt.published() }
        transports[0].receipts.entries[0].didRefuse(Refusal(reason: "not authorised"))
        executor.step()
        #expect(returned.count == 0)
        transports[1].receipts.entries[0].didRefuse(Refusal(reason: "quota exceeded"))
        executor.runFreely()
        await #expect(throws: Refusal(reason: "not authorised")) { try await task.value }
        #expect(receipt.summary.refused == 2)
    }

    @Test("published throws when a transport is full, and listeners hear all the same")
    func full() async throws {
        let heard = Journal<String>()
        bus.attach(FakeTransport(answer: .full), to: ["**"])
        bus.on("a") { heard.hear($0) }
        let receipt = bus.tracked.emit("a", "1")
        let error = try await #require(throws: EventBusError.self) { try await receipt.published() }
        #expect(error.code == .refused)
        #expect(error.operation == "publish \"a\"" && error.detail.contains("full"))
        try await receipt.finished()
        #expect(heard.entries == ["1"])
    }

    @Test("published throws when no transport took it", arguments: [true, false])
    func notRelayed(isDeclined: Bool) async throws {
        if isDeclined { bus.attach(FakeTransport(answer: .declined), to: ["**"]) }
        bus.on("a") { _ in }
        let receipt = bus.tracked.emit("a")
        let error = try await #require(throws: EventBusError.self) { try await receipt.published() }
        #expect(error.code == .notRelayed)
    }

    @Test("waiting for the transports can be cancelled, and does not depend on the listeners")
    func publishedCancelled() async throws {
        let (gate, transport, executor) = (gate, FakeTransport(), StepExecutor())
        bus.attach(transport, to: ["**"])
        bus.on("a") { _ in await gate.pass() }
        let receipt = bus.tracked.emit("a")
        let cancelled = waiter(on: executor) { try await receipt.published() }
        let other = waiter(on: executor) { try await receipt.published() }
        cancelled.task.cancel()
        executor.runFreely()
        await #expect(throws: CancellationError.self) { try await cancelled.task.value }
        transport.receipts.entries[0].didPublish()
        try await other.task.value
        #expect(receipt.summary.finished == 0)
        gate.open()
        try await receipt.finished()
    }

    @Test("nothing is reached while the event is still being offered")
    func stateMachine() {
        var machine = ReceiptStateMachine()
        machine.willDeliver()
        machine.didDeliver(failed: false)
        machine.willPublish()
        machine.didPublish()
        #expect(!machine.hasReached(.finished) && !machine.hasReached(.published))
        machine.didEmit()
        #expect(machine.hasReached(.finished) && machine.hasReached(.published))
        machine.willDeliver()
        #expect(!machine.hasReached(.finished))
        machine.didDiscard()
        #expect(machine.hasReached(.finished))
    }
}
