import TestSupport
import Testing

@testable import AsyncEventBus

@Suite("Destination", .timeLimit(.deadlock))
struct EventDestinationTests {
    private let bus = EventBus()
    private let heard = Journal<String>()

    private func emit(to destination: EventDestination, _ payload: Payload) {
        var batch = EventBatch()
        let event = Event(
            id: bus.id(bus.makeNumber()),
            name: destination.name,
            payload: payload,
            origin: EventOrigin(bus: "test")
        )
        batch.append(event, to: destination)
        bus.emit(&batch)
    }

    @Test("follows listeners that come and go, whatever it knew before")
    func listeners() async {
        let destination = bus.destination(for: "a.b")
        emit(to: destination, "nobody")
        let heard = heard
        let first = bus.on("a.*") { heard.write("first \($0.payload.text ?? "")") }
        emit(to: destination, "1")
        await bus.waitUntilIdle()
        let second = bus.on("a.b") { heard.write("second \($0.payload.text ?? "")") }
        bus.removeListener(first)
        emit(to: destination, "2")
        await bus.waitUntilIdle()
        bus.removeListener(second)
        emit(to: destination, "nobody")
        await bus.waitUntilIdle()
        #expect(heard.entries == ["first 1", "second 2"])
    }

    @Test("tells the durable listeners, and whether anybody else hears the name")
    func receivers() throws {
        let destination = bus.destination(for: "a")
        #expect(bus.receivers(at: destination).durable.isEmpty && !bus.receivers(at: destination).hasOthers)
        let named = Listener(durable: "n") { _ in }
        try bus.addListener(named, to: "*")
        #expect(bus.receivers(at: destination).durable.map(\.name) == ["n"])
        #expect(!bus.receivers(at: destination).hasOthers)
        let other = bus.on("**") { _ in }
        #expect(bus.receivers(at: destination).hasOthers)
        bus.removeListener(other)
        let transport = FakeTransport()
        bus.attach(transport, to: ["a"])
        #expect(bus.receivers(at: destination).hasOthers)
        bus.detach(transport, from: ["a"])
        bus.removeListener(named)
        #expect(bus.receivers(at: destination).durable.isEmpty && !bus.receivers(at: destination).hasOthers)
    }

    @Test("names that the same receivers hear share what is known of them")
    func shared() {
        var registry = Registry()
        let transport = FakeTransport()
        registry.add(Receiver(transport), to: "**")
        #expect(registry.receivers(for: "a") === registry.receivers(for: "b.c"))
        registry.add(Receiver(FakeTransport()), to: "a")
        #expect(registry.receivers(for: "a") !== registry.receivers(for: "b.c"))
    }
}
