import TestSupport
import Testing

@testable import AsyncEventBus

/// Each test lets go of an object whose `deinit` emits on the bus, at the place that is likeliest to hold a lock. A bus
/// that lets go of it under its lock waits for itself.
@Suite("EventBus: no foreign code under a lock", .timeLimit(.deadlock))
struct EventBusForeignCodeTests {
    private let bus = EventBus(logger: .silent)
    private let heard = Journal<String>()

    init() {
        bus.on("gone", delivery: .serial) { [heard] in heard.hear($0) }
    }

    /// An object that emits at its end.
    private func emitter(_ payload: Payload = "") -> Guardian {
        Guardian { [bus] in bus.emit("gone", payload) }
    }

    private func add(to pattern: EventPattern, _ guardian: consuming Guardian) -> Listener {
        bus.on(pattern) { [guardian] _ in withExtendedLifetime(guardian) {} }
    }

    /// Runs what may wait for itself on a thread of its own, so that the test ends in any case. Tells whether all ends
    /// have been heard.
    private func hears(_ count: Int, after body: @escaping @Sendable () async -> Void) async -> Bool {
        Task.detached { await body() }
        return await heard.wait(for: count).count >= count
    }

    @Test("a listener that is removed may emit at its end")
    func removal() async {
        let heard = await hears(1) { [bus] in
            bus.removeListener(add(to: "a", emitter()))
        }
        #expect(heard)
    }

    @Test("so may one that only the caches of names and of audiences still knew")
    func caches() async {
        let heard = await hears(1) { [bus] in
            let other = bus.on("a.*") { _ in }
            do {
                let listener = add(to: "a.**", emitter())
                // Twice, since a name is kept when it comes again.
                for number in 0..<200 { bus.emit(EventName(spelled: "a.\(number % 100)")) }
                await bus.waitUntilIdle()
                bus.removeListener(listener)
            }
            for number in 0..<20_000 { bus.emit(EventName(spelled: "a.\(number)")) }
            bus.removeListener(other)
        }
        #expect(heard)
    }

    @Test("so may one that only a destination still knew, whoever uses that next")
    func destinations() async {
        let heard = await hears(2) { [bus] in
            let destinations = (0..<2).map { _ in bus.destination(for: "a") }
            for use in [0, 1] {
                do {
                    let listener = add(to: "a", emitter())
                    for destination in destinations { _ = bus.receivers(at: destination) }
                    bus.removeListener(listener)
                }
                guard use == 0 else {
                    for destination in destinations { _ = bus.receivers(at: destination) }
                    return
                }
                var batch = EventBatch()
                for destination in destinations { batch.append(Self.event(), to: destination) }
                bus.emit(&batch)
            }
        }
        #expect(heard)
    }

    @Test("so may a transport that is detached")
    func transports() async {
        let heard = await hears(1) { [bus] in
            let destination = bus.destination(for: "a")
            do {
                let transport = GuardedTransport(guardian: emitter())
                bus.attach(transport, to: ["a", "b"])
                _ = bus.receivers(at: destination)
                bus.emit("a")
                bus.detach(transport, from: ["a", "b"])
            }
            _ = bus.receivers(at: destination)
        }
        #expect(heard)
    }

    @Test("so may what came with an event, when a full mailbox discards it or its listener is removed")
    func events() async {
        let gate = Gate()
        let heard = await hears(4) { [bus] in
            for delivery in [DeliveryMode.serial, .keyed { $0.name.text }] {
                let listener = bus.on("a", delivery: delivery, .capacity(1)) { _ in await gate.pass() }
                for _ in 0..<3 { bus.emit(Self.event(emitter())) }
                bus.removeListener(listener)
            }
        }
        gate.open()
        #expect(heard)
    }

    @Test("so may what came with an event that a subscription discards, or whose sender is cancelled")
    func subscriptions() async {
        let heard = await hears(3) { [bus] in
            let executor = StepExecutor()
            await bus.withSubscription(to: "a", capacity: 1) { _ in
                for _ in 0..<2 { bus.emit(Self.event(emitter())) }
                let sender = Task(executorPreference: executor) {
                    try? await bus.emitWhenRoom("a", attributes: EventAttributes(), scope: .local)
                }
                executor.step()
                sender.cancel()
                executor.runFreely()
                await sender.value
            }
            bus.emit("gone")
        }
        #expect(heard)
    }

    private static func event(_ guardian: Guardian? = nil) -> Event {
        let details = guardian.map { GuardedDetails(guardian: $0) }
        return Event(
            id: EventID(source: "test", tag: "1"),
            name: "a",
            payload: "",
            origin: EventOrigin(bus: "test", transport: details)
        )
    }
}

private final class GuardedDetails: TransportDetails {
    let link = "test"
    private let guardian: Guardian

    init(guardian: Guardian) {
        self.guardian = guardian
    }
}

private final class GuardedTransport: EventTransport {
    private let guardian: Guardian

    init(guardian: Guardian) {
        self.guardian = guardian
    }

    func take(_ event: Event, receipt: TransportReceipt?) {}
    func take(_ event: Event, receipt: TransportReceipt?, progress: inout TransportProgress) -> Bool { true }
    func waitForRoom(for event: Event, progress: TransportProgress) async throws {}
}
