import TestSupport
import Testing

@testable import AsyncEventBus

/// What a mailbox promises to the bus alone; the rest shows in the tests of the bus.
@Suite("Mailbox", .timeLimit(.deadlock))
struct MailboxTests {
    private let gate = Gate()
    private let heard = Journal<String>()

    private func mailbox(capacity: Int) -> any Mailbox {
        let (heard, gate) = (heard, gate)
        let listener = Listener("l", delivery: .serial, .capacity(capacity)) { event in
            heard.hear(event)
            await gate.pass()
        }
        return MailboxContext(listener: listener, clock: ContinuousClock()) { _ in }.makeMailbox()
    }

    private func delivery(_ payload: Payload) -> (PendingDelivery, Receipt) {
        let id = EventID(source: "test", tag: "1")
        let receipt = Receipt(id: id, name: "a")
        receipt.didEmit()
        return (
            PendingDelivery(
                event: Event(id: id, name: "a", payload: payload, origin: EventOrigin(bus: "test")),
                receipt: receipt
            ), receipt
        )
    }

    @Test("closing settles the receipts of all that waits, inside and outside, and of what comes later")
    func closing() async throws {
        let (mailbox, executor) = (mailbox(capacity: 1), StepExecutor())
        let letters = ["running", "waiting", "outside", "late", "too late"].map { delivery(Payload($0)) }
        mailbox.offer(letters[0].0)
        await heard.wait(for: 1)
        mailbox.offer(letters[1].0)
        let outside = letters[2].0
        let sender = Task(executorPreference: executor) { try await mailbox.offerWhenRoom(outside) }
        executor.step()
        mailbox.close()
        executor.runFreely()
        try await sender.value
        mailbox.offer(letters[3].0)
        try await mailbox.offerWhenRoom(letters[4].0)
        #expect(letters.map(\.1.summary.discarded) == [0, 1, 1, 1, 1])
        #expect(letters.map(\.1.summary.delivered) == [1, 0, 0, 0, 0])
        gate.open()
        await mailbox.waitUntilIdle()
        for (_, receipt) in letters { try await receipt.finished() }
        #expect(heard.entries == ["running"])
        #expect(mailbox.load == (waiting: 0, dropped: 0))
    }

    @Test("a sender that is cancelled settles its receipt")
    func cancelledSend() async throws {
        let (mailbox, executor) = (mailbox(capacity: 1), StepExecutor())
        mailbox.offer(delivery("running").0)
        await heard.wait(for: 1)
        mailbox.offer(delivery("waiting").0)
        let (cancelled, receipt) = delivery("cancelled")
        let sender = Task(executorPreference: executor) { try await mailbox.offerWhenRoom(cancelled) }
        executor.step()
        #expect(receipt.summary.delivered == 1)
        sender.cancel()
        executor.step()
        await #expect(throws: CancellationError.self) { try await sender.value }
        #expect(receipt.summary.discarded == 1 && receipt.summary.delivered == 0)
        gate.open()
        await mailbox.waitUntilIdle()
        #expect(heard.entries == ["running", "waiting"])
    }

    @Test("everybody who waits for idleness is told, at once where there is nothing to do")
    func idle() async {
        let (mailbox, executor, told) = (mailbox(capacity: 4), StepExecutor(), Journal<Void>())
        await mailbox.waitUntilIdle()
        for _ in 0..<3 { mailbox.offer(delivery("x").0) }
        let waiters = (0..<3).map { _ in
            Task(executorPreference: executor) {
                await mailbox.waitUntilIdle()
                told.write(())
            }
        }
        executor.step()
        #expect(told.count == 0)
        executor.runFreely()
        gate.open()
        for waiter in waiters { await waiter.value }
        #expect(mailbox.load.waiting == 0 && heard.count == 3)
    }
}
