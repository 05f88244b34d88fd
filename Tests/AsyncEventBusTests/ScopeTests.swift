import TestSupport
import Testing

@testable import AsyncEventBus

@Suite("Scope", .timeLimit(.minutes(1)))
struct ScopeTests {
    @Test(
        "local never reaches a relay, broker never a listener, everywhere reaches both, once",
        arguments: [(Scope.everywhere, 1, 1), (.local, 1, 0), (.broker, 0, 1)],
        ["emit", "emitTracked", "send", "event"]
    )
    func reach(scope: (Scope, listeners: Int, relays: Int), form: String) async throws {
        let (bus, relay, heard) = (EventBus(), FakeRelay(), Journal<String>())
        bus.attach(relay, to: ["**", "a"])
        bus.on("**") { heard.hear($0) }
        switch form {
        case "emit": bus.emit("a", "1", scope: scope.0)
        case "emitTracked":
            let receipt = bus.emitTracked("a", "1", scope: scope.0)
            try await receipt.finished()
            #expect(receipt.summary.delivered == scope.listeners && receipt.summary.relayed == scope.relays)
        case "send": try await bus.send("a", "1", scope: scope.0)
        default:
            let id = EventID(source: "far", tag: "1")
            bus.emit(Event(id: id, name: "a", payload: "1", origin: EventOrigin(bus: "far")), scope: scope.0)
        }
        await bus.becomeIdle()
        #expect(heard.count == scope.listeners)
        #expect(relay.taken.count == scope.relays)
    }

    @Test("a full or missing relay does not matter to a local event, nor a full mailbox to one for the broker")
    func independence() async throws {
        let (bus, relay, gate) = (EventBus(), FakeRelay(answer: .full), Gate())
        bus.attach(relay, to: ["**"])
        let listener = bus.on("a", delivery: .serial, capacity: 1) { _ in await gate.pass() }
        try await bus.send("a", scope: .local)
        relay.answer(.taken)
        while bus.load(of: listener)?.waiting != 1 { bus.emit("a", scope: .local) }
        try await bus.send("a", scope: .broker)
        #expect(relay.taken.count == 1)
        gate.open()
        await bus.becomeIdle()
    }
}
