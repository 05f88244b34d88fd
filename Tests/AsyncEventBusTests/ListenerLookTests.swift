import EventBridgeTesting
import TestSupport
import Testing

@testable import AsyncEventBus

@Suite("ListenerLook", .timeLimit(.deadlock))
struct ListenerLookTests {
    private let clock = TestClock()
    private let bus: EventBus
    private let heard = Journal<String>()
    private let gate = Gate()

    init() {
        bus = EventBus(clock: clock, logger: .silent)
    }

    private func look() throws -> ListenerLook { try #require(bus.lookAtListeners().first) }

    /// A listener whose calls for `stuck` wait for the gate, and no others.
    private func listen(
        _ delivery: DeliveryMode,
        capacity: Int = 1_024,
        timeLimit: Duration? = nil,
        retry: RetryPolicy = .never
    ) {
        let (heard, gate) = (heard, gate)
        bus.on("a", name: "one", delivery: delivery, .capacity(capacity), .timeout(timeLimit), .retry(retry)) { event in
            heard.hear(event)
            if event.payload == "stuck" { await gate.pass() }
        }
    }

    @Test(
        "a call that does not end makes no progress, whatever comes and is displaced meanwhile",
        arguments: [.never, RetryPolicy(attempts: 2)]
    )
    func stuck(retry: RetryPolicy) async throws {
        listen(.serial, capacity: 2, retry: retry)
        #expect(try look().progress == nil)
        bus.emit("a", "stuck")
        await heard.wait(for: 1)
        let first = try look()
        #expect((first.name, first.waiting, first.isHeldUp) == ("one", 0, false))
        #expect(first.progress != nil)
        for number in 1...200 { bus.emit("a", "\(number)") }
        let second = try look()
        #expect((second.waiting, second.isHeldUp) == (2, true))
        #expect(second.progress == first.progress)
        #expect(second.exceeded == nil)
        gate.open()
        await bus.waitUntilIdle()
        #expect(try look().progress == nil)
        #expect(try look().mailbox == first.mailbox)
    }

    @Test("calls that end make progress", arguments: [.never, RetryPolicy(attempts: 2)])
    func moving(retry: RetryPolicy) async throws {
        let (heard, gates) = (heard, [Gate(), Gate()])
        bus.on("a", delivery: .serial, .retry(retry)) { event in
            heard.hear(event)
            if let number = event.payload.text.flatMap(Int.init) { await gates[number].pass() }
        }
        for number in 0...1 { bus.emit("a", "\(number)") }
        bus.emit("a", "last")
        await heard.wait(for: 1)
        let first = try look()
        gates[0].open()
        await heard.wait(for: 2)
        let second = try look()
        #expect(first.isHeldUp && second.isHeldUp)
        #expect(first.progress != second.progress)
        gates[1].open()
        await bus.waitUntilIdle()
    }

    @Test("what is displaced from a chunk is no progress, and what is claimed is")
    func displaced() {
        var queue = ChunkQueue<Int>(capacityBytes: .max)
        for number in 1...4 { queue.append(number, key: nil, size: 1, .displaceable) }
        let chunk = queue.nextChunk()
        #expect(chunk?.claim() == 1)
        let progress = queue.look.progress
        #expect(queue.removeOldest(preferring: nil)?.element == 2)
        #expect(queue.look.progress == progress)
        #expect(chunk?.claim() == 3)
        #expect(queue.look.progress != progress)
    }

    @Test("a call that fails, so that its element rests, is progress; one that is displaced is none")
    func rests() throws {
        var queue = KeyedQueue<Int>(isSerial: false)
        for number in 1...4 { queue.append(number, key: nil, size: 1, .displaceable) }
        let first = queue.look.progress
        #expect(queue.removeOldest(preferring: nil)?.element == 1)
        #expect(queue.look.progress == first)
        let next = queue.popReady()
        let item = try #require(next)
        let running = queue.look.progress
        #expect(running != first)
        _ = queue.rest(item)
        _ = queue.popReady()
        #expect(queue.look.progress != running)
    }

    @Test("one key that is stuck is seen while others go on; a rest holds nothing up")
    func keys() async throws {
        let (heard, gate) = (heard, gate)
        struct Broken: Error {}
        bus.on("a", delivery: .keyed { $0.attributes.replyTo ?? "" }, .retry(2)) { event in
            heard.hear(event)
            if event.payload == "stuck" { await gate.pass() }
            if event.payload == "failing", event.attempt == 1 { throw Broken() }
        }
        func emit(_ text: String, _ key: String) {
            bus.emit("a", Payload(text), attributes: EventAttributes(replyTo: key))
        }
        emit("failing", "rests")
        await clock.sleepsBegun(1)
        emit("stuck", "first")
        emit("waits", "rests")
        await heard.wait(for: 2)
        #expect(try look().waiting == 2)
        #expect(try !look().isHeldUp)
        emit("waits", "first")
        let first = try look()
        #expect(first.isHeldUp)
        emit("goes on", "second")
        await heard.wait(for: 3)
        #expect(try look().progress == first.progress)
        gate.open()
        clock.advance(by: .seconds(3_600))
        await bus.waitUntilIdle()
        #expect(heard.count == 6)
    }

    @Test("a call that exceeds its time limit is seen until it returns")
    func exceeded() async throws {
        listen(.serial, timeLimit: .seconds(1))
        bus.emit("a", "stuck")
        await clock.sleepsBegun(1)
        await heard.wait(for: 1)
        #expect(try look().exceeded == nil)
        let before = ContinuousClock.now
        let told = Journal<Event>()
        bus.on("$bus.failed") { told.write($0) }
        clock.advance(by: .seconds(1))
        await told.wait(for: 1)
        let looks = bus.lookAtListeners().filter { $0.name == "one" }
        #expect(try #require(looks.first?.exceeded) >= before)
        gate.open()
        await bus.waitUntilIdle()
        #expect(bus.lookAtListeners().allSatisfy { $0.exceeded == nil })
    }
}
