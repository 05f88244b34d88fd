import TestSupport
import Testing

@testable import AsyncEventBus

@Suite("Scope", .timeLimit(.deadlock))
struct ScopeTests {
    @Test(
        "local never reaches a transport, broker never a listener, everywhere reaches both, once",
        arguments: [(Scope.everywhere, 1, 1), (.local, 1, 0), (.transports, 0, 1)],
        ["emit", "emitTracked", "send", "event"]
    )
    func reach(scope: (Scope, listeners: Int, transports: Int), form: String) async throws {
        let (bus, transport, heard) = (EventBus(logger: .silent), FakeTransport(), Journal<String>())
        bus.attach(transport, to: ["**", "a"])
        bus.on("**") { heard.hear($0) }
        switch form {
        case "emit": bus.emit("a", "1", scope: scope.0)
        case "emitTracked":
            let receipt = bus.tracked.emit("a", "1", scope: scope.0)
            try await receipt.finished()
            #expect(receipt.summary.delivered == scope.listeners && receipt.summary.relayed == scope.transports)
        case "send": try await bus.emitWhenRoom("a", "1", scope: scope.0)
        default:
            let id = EventID(source: "far", tag: "1")
            bus.emit(Event(id: id, name: "a", payload: "1", origin: EventOrigin(bus: "far")), scope: scope.0)
        }
        await bus.waitUntilIdle()
        #expect(heard.count == scope.listeners)
        #expect(transport.taken.count == scope.transports)
    }

    @Test("a full or missing transport does not matter to a local event, nor a full mailbox to one for the broker")
    func independence() async throws {
        let (bus, transport, gate) = (EventBus(logger: .silent), FakeTransport(answer: .full), Gate())
        bus.attach(transport, to: ["**"])
        let listener = bus.on("a", delivery: .serial, .capacity(1)) { _ in await gate.pass() }
        try await bus.emitWhenRoom("a", scope: .local)
        transport.answer(.taken)
        while bus.load(of: listener)?.waiting != 1 { bus.emit("a", scope: .local) }
        try await bus.emitWhenRoom("a", scope: .transports)
        #expect(transport.taken.count == 1)
        gate.open()
        await bus.waitUntilIdle()
    }
}
