import AsyncEventBus
import TestSupport
import Testing

/// What a transport can do that sees the public interface only.
@Suite("EventTransport, from outside", .timeLimit(.deadlock))
struct PublicTransportTests {
    private let near = EventBus(name: "near", logger: .silent)
    private let far = EventBus(name: "far", logger: .silent)
    private let heard = Journal<String>()

    @Test("events cross in order, reach durable and other listeners once each, and keep their identity")
    func crossing() async throws {
        let link = MemoryTransport(to: far, link: "l")
        near.attach(link, to: ["a.**"])
        let heard = heard
        try far.on("a.*", durable: "durable", delivery: .serial) { heard.write("durable \($0.payload.text ?? "")") }
        far.on("**", delivery: .serial) { heard.write("other \($0.payload.text ?? "") \($0.origin.hops)") }
        let receipts = ["1", "2"].map { near.tracked.emit("a.b", Payload($0)) }
        near.emit("b", "not routed")
        link.transfer()
        for receipt in receipts { try await receipt.published() }
        await far.waitUntilIdle()
        #expect(heard.entries.filter { $0.hasPrefix("durable") } == ["durable 1", "durable 2"])
        #expect(heard.entries.filter { $0.hasPrefix("other") } == ["other 1 1", "other 2 1"])
    }

    @Test("an event is published when its durable listeners have dealt with it, and not before")
    func acknowledged() async throws {
        let (link, gate, heard) = (MemoryTransport(to: far, link: "l"), Gate(), heard)
        near.attach(link, to: ["**"])
        try far.on("a", durable: "slow", .retry(2, shortest: .zero, longest: .zero)) { event in
            heard.write("attempt \(event.attempt)")
            await gate.pass()
            if event.attempt == 1 { throw CancellationError() }
        }
        let receipt = near.tracked.emit("a")
        link.transfer()
        await heard.wait(for: 1)
        #expect(receipt.summary.published == 0)
        gate.open()
        try await receipt.published()
        #expect(heard.entries == ["attempt 1", "attempt 2"])
    }

    @Test("a full transport refuses what is emitted, and lets a sender wait")
    func full() async throws {
        let link = MemoryTransport(to: far, link: "l", capacity: 1)
        near.attach(link, to: ["**"])
        near.emit("a")
        let refused = near.tracked.emit("a")
        #expect(refused.summary.refused == 1)
        await #expect(throws: EventBusError.self) { try await refused.published() }
        let (executor, near) = (StepExecutor(), near)
        let sender = Task(executorPreference: executor) { try await near.tracked.emitWhenRoom("a") }
        executor.step()
        link.transfer()
        executor.runFreely()
        let receipt = try await sender.value
        link.transfer()
        try await receipt.published()
    }

    @Test("an event does not go back by the link that it came from, and goes on by another")
    func loop() async throws {
        let (there, back) = (MemoryTransport(to: far, link: "l"), MemoryTransport(to: near, link: "l"))
        near.attach(there, to: ["**"])
        far.attach(back, to: ["**"])
        let heard = heard
        near.on("**", delivery: .serial) { heard.write($0.payload.text ?? "") }
        near.emit("a", "once")
        there.transfer()
        back.transfer()
        await near.waitUntilIdle()
        #expect(heard.entries == ["once"])
    }

    @Test("what a transport takes back is not heard, and is told to be left for later")
    func withdrawn() async throws {
        let (link, gate, heard) = (MemoryTransport(to: far, link: "l"), Gate(), heard)
        near.attach(link, to: ["**"])
        try far.on("a", durable: "slow", delivery: .serial) { event in
            heard.write(event.payload.text ?? "")
            await gate.pass()
        }
        let receipts = ["1", "2", "3"].map { near.tracked.emit("a", Payload($0)) }
        link.transfer()
        await heard.wait(for: 1)
        link.stop()
        gate.open()
        try await receipts[0].published()
        for receipt in receipts.dropFirst() {
            let error = await #expect(throws: EventBusError.self) { try await receipt.published() }
            #expect(error?.code == .postponed)
        }
        #expect(heard.entries == ["1"])
    }
}
