import TestSupport
import Testing

@testable import AsyncEventBus

@Suite("Subscription", .timeLimit(.deadlock))
struct SubscriptionTests {
    private struct Broken: Error {}

    private let bus = EventBus(logger: .silent)
    private let executor = StepExecutor()

    @Test("a subscription receives what is emitted while its body runs, in order, and nothing from before")
    func order() async {
        bus.emit("a.x", "early")
        let heard = await bus.withSubscription(to: "a.*") { events in
            for number in 0..<100 { bus.emit("a.x", Payload(number: number)) }
            bus.emit("b")
            return await events.prefix(100).reduce(into: []) { $0.append($1.number) }
        }
        #expect(heard == Array(0..<100))
    }

    @Test("a reader that waits gets the next event, and each once")
    func waitingReader() async {
        let (bus, executor, heard) = (bus, executor, Journal<String>())
        await bus.withSubscription(to: "a") { events in
            let reader = Task(executorPreference: executor) { for await event in events { heard.hear(event) } }
            executor.step()
            for number in 0..<5 {
                bus.emit("a", "\(number)")
                executor.step()
                #expect(heard.count == number + 1)
            }
            reader.cancel()
            executor.runFreely()
            await reader.value
        }
        #expect(heard.entries == (0..<5).map(String.init))
    }

    @Test(
        "a slow reader gets what the policy keeps, the rest is counted, and told once",
        arguments: [(OverflowPolicy.dropOldest, [2, 3, 4]), (.dropNewest, [0, 1, 2])]
    )
    func overflow(policy: OverflowPolicy, kept: [Int]) async {
        let reports = Journal<Event>()
        bus.on("$bus.**") { reports.write($0) }
        let heard = await bus.withSubscription(to: "a", capacity: 3, whenFull: policy) { events in
            let receipts = (0..<5).map { bus.tracked.emit("a", Payload(number: $0)) }
            #expect(events.dropped == 2)
            #expect(receipts.map(\.summary.discarded).reduce(0, +) == 2)
            return await events.prefix(3).reduce(into: []) { $0.append($1.number) }
        }
        #expect(heard == kept)
        await bus.waitUntilIdle()
        #expect(reports.entries.map(\.name) == ["$bus.dropped"])
        #expect(reports.entries.map { $0.attributes[header: "listener"] } == ["subscription to a"])
        #expect(reports.entries.map { $0.attributes[header: "total"] } == ["1"])
    }

    @Test("at the end of the scope what was not read is discarded, and nothing more comes in")
    func endOfScope() async throws {
        let (receipt, escaped) = await bus.withSubscription(to: "a") { events in
            (bus.tracked.emit("a", "unread"), events)
        }
        try await receipt.finished()
        #expect(receipt.summary.discarded == 1 && receipt.summary.delivered == 0)
        #expect(bus.tracked.emit("a").summary == ReceiptSummary())
        var reader = escaped.makeAsyncIterator()
        #expect(await reader.next() == nil)
        #expect(escaped.dropped == 0)
    }

    @Test("a receipt is finished with a subscription once its event has been read")
    func receipt() async throws {
        let bus = bus
        try await bus.withSubscription(to: "a") { events in
            let receipt = bus.tracked.emit("a")
            #expect(receipt.summary.delivered == 1 && receipt.summary.finished == 0)
            var reader = events.makeAsyncIterator()
            #expect(await reader.next()?.id == receipt.id)
            try await receipt.finished()
            #expect(receipt.summary.finished == 1)
        }
    }

    @Test("a body that throws ends the subscription, and its error comes out")
    func bodyThrows() async {
        let bus = bus
        await #expect(throws: Broken.self) {
            try await bus.withSubscription(to: "a") { _ in throw Broken() }
        }
        #expect(bus.tracked.emit("a").summary == ReceiptSummary())
    }

    @Test("a reader in another task sees the end when the scope ends")
    func readerOutlivesScope() async {
        let (executor, heard) = (executor, Journal<String>())
        let reader = await bus.withSubscription(to: "a") { events in
            let reader = Task(executorPreference: executor) { for await event in events { heard.hear(event) } }
            executor.step()
            return reader
        }
        executor.runFreely()
        await reader.value
        #expect(heard.entries.isEmpty)
    }

    @Test("a reader that is cancelled while it waits sees the end, and events wait for the next reader")
    func cancelledWhileWaiting() async {
        let (bus, executor) = (bus, executor)
        await bus.withSubscription(to: "a") { events in
            let reader = Task(executorPreference: executor) {
                var reader = events.makeAsyncIterator()
                return await reader.next()?.number
            }
            executor.step()
            reader.cancel()
            executor.runFreely()
            #expect(await reader.value == nil)
            bus.emit("a", "7")
            var next = events.makeAsyncIterator()
            #expect(await next.next()?.number == 7)
        }
    }

    @Test("a reader that is cancelled sees the end even though events wait")
    func cancelledBefore() async {
        let (bus, executor, heard) = (bus, executor, Journal<String>())
        await bus.withSubscription(to: "a") { events in
            for number in 0..<3 { bus.emit("a", "\(number)") }
            let reader = Task(executorPreference: executor) { for await event in events { heard.hear(event) } }
            reader.cancel()
            executor.runFreely()
            await reader.value
            #expect(heard.entries.isEmpty)
            #expect(events.dropped == 0)
        }
    }

    @Test("send suspends while a subscription is full, and goes on in order as it is read")
    func send() async throws {
        let (bus, executor, sent) = (bus, executor, Journal<Int>())
        try await bus.withSubscription(to: "a", capacity: 2) { events in
            let sender = Task(executorPreference: executor) {
                for number in 0..<6 {
                    try await bus.emitWhenRoom("a", Payload(number: number))
                    sent.write(number)
                }
            }
            executor.step()
            #expect(sent.entries == [0, 1])
            var reader = events.makeAsyncIterator()
            for number in 0..<6 {
                #expect(await reader.next()?.number == number)
                executor.step()
                #expect(sent.count == min(number + 3, 6))
            }
            try await sender.value
            #expect(events.dropped == 0)
        }
    }

    @Test("a sender that is cancelled while a subscription is full throws, and its event is not read")
    func sendCancelled() async {
        let (bus, executor) = (bus, executor)
        await bus.withSubscription(to: "a", capacity: 1) { events in
            bus.emit("a", "0")
            let sender = Task(executorPreference: executor) { try await bus.emitWhenRoom("a", "cancelled") }
            executor.step()
            sender.cancel()
            executor.step()
            await #expect(throws: CancellationError.self) { try await sender.value }
            var reader = events.makeAsyncIterator()
            #expect(await reader.next()?.number == 0)
            bus.emit("a", "1")
            #expect(await reader.next()?.number == 1)
        }
    }

    @Test("a task that is cancelled already sends nothing to a subscription")
    func sendCancelledBefore() async {
        let (bus, executor) = (bus, executor)
        await bus.withSubscription(to: "a") { events in
            let sender = Task(executorPreference: executor) { try await bus.emitWhenRoom("a", "cancelled") }
            sender.cancel()
            executor.step()
            await #expect(throws: CancellationError.self) { try await sender.value }
            bus.emit("a", "1")
            var reader = events.makeAsyncIterator()
            #expect(await reader.next()?.number == 1)
        }
    }

    @Test("senders that wait are released when the scope ends")
    func sendersReleased() async throws {
        let (bus, executor) = (bus, executor)
        let sender = await bus.withSubscription(to: "a", capacity: 1) { _ in
            let sender = Task(executorPreference: executor) { for _ in 0..<3 { try await bus.emitWhenRoom("a") } }
            executor.step()
            return sender
        }
        executor.runFreely()
        try await sender.value
    }

    @Test("subscriptions side by side each receive every event, and one that does not read holds up no other")
    func sideBySide() async {
        let bus = bus
        await bus.withSubscription(to: "**", capacity: 1) { idle in
            await bus.withSubscription(to: "a") { events in
                for number in 0..<10 { bus.emit("a", Payload(number: number)) }
                let heard = await events.prefix(10).reduce(into: []) { $0.append($1.number) }
                #expect(heard == Array(0..<10))
            }
            #expect(idle.dropped == 9)
        }
    }

    @Test("two readers at a time are a programmer's mistake")
    func twoReaders() async {
        await #expect(processExitsWith: .failure) {
            await EventBus(logger: .silent).withSubscription(to: "a") { events in
                let executor = StepExecutor()
                for _ in 0..<2 {
                    Task(executorPreference: executor) {
                        var reader = events.makeAsyncIterator()
                        _ = await reader.next()
                    }
                }
                executor.step()
            }
        }
    }
}
