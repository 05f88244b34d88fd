import Testing

@testable import AsyncEventBus

@Suite("What immediate listeners emit")
struct ImmediateOrderTests {
    private let bus = EventBus()
    private let heard = Journal<String>()

    /// An immediate listener, found first, that emits `b` for each `a`, and a serial one that hears both.
    private func join() {
        let (bus, heard) = (bus, heard)
        bus.on("a", .immediate()) { bus.emit("b", $0.payload) }
        bus.on("*", delivery: .serial) { heard.write("\($0.name)\($0.payload.text ?? "")") }
    }

    @Test("reaches others behind what they heard")
    func one() async {
        join()
        for payload in ["0", "1"] as [Payload] { bus.emit("a", payload) }
        await bus.waitUntilIdle()
        #expect(heard.entries == ["a0", "b0", "a1", "b1"])
    }

    @Test(
        "reaches others behind all of a batch, of one name or of several",
        arguments: [["a", "a"], ["a", "c", "a"]]
    )
    func batch(names: [EventName]) async {
        join()
        var batch = EventBatch()
        for (number, name) in names.enumerated() {
            let event = Event(
                id: bus.id(bus.makeNumber()),
                name: name,
                payload: Payload("\(number)"),
                origin: EventOrigin(bus: bus.source)
            )
            batch.append(event, to: bus.destination(for: name))
        }
        bus.emit(&batch)
        await bus.waitUntilIdle()
        let batched = names.enumerated().map { "\($1)\($0)" }
        let emitted = names.enumerated().filter { $1 == "a" }.map { "b\($0.offset)" }
        #expect(heard.entries == batched + emitted)
    }
}
