import TestSupport
import Testing

@testable import AsyncEventBus

@Suite("EventBus: listeners", .timeLimit(.deadlock))
struct EventBusTests {
    private let bus = EventBus(logger: .silent)
    private let heard = Journal<String>()

    @Test("a listener added twice to a pattern is there once and hears each event once")
    func setSemantics() async throws {
        let heard = heard
        let listener = Listener("l") { heard.hear($0) }
        #expect(try bus.addListener(listener, to: "a"))
        #expect(try !bus.addListener(listener, to: "a"))
        bus.emit("a", "1")
        await bus.waitUntilIdle()
        #expect(heard.entries == ["1"])
        #expect(bus.removeListener(listener, from: "a"))
        #expect(!bus.removeListener(listener, from: "a"))
        bus.emit("a", "2")
        await bus.waitUntilIdle()
        #expect(heard.entries == ["1"])
        #expect(bus.load(of: listener) == nil)
    }

    @Test("the count of listeners is that of those who would hear an event, each once, and follows every change")
    func listenerCount() async throws {
        #expect(bus.listenerCount(for: "a.b") == 0)
        let (one, two) = (Listener("1") { _ in }, Listener("2") { _ in })
        for pattern: EventPattern in ["a.b", "a.*", "**"] { try bus.addListener(one, to: pattern) }
        try bus.addListener(two, to: "a.**")
        bus.attach(FakeTransport(), to: ["**"])
        #expect(bus.listenerCount(for: "a.b") == 2)
        #expect(bus.listenerCount(for: "b") == 1)
        #expect(bus.listenerCount(for: "$bus.failed") == 0)
        await bus.withSubscription(to: "a.*") { _ in #expect(bus.listenerCount(for: "a.b") == 3) }
        bus.removeListener(one)
        #expect(bus.listenerCount(for: "a.b") == 1)
    }

    @Test("a listener whose patterns overlap hears each event once, until it is off the last of them")
    func overlappingPatterns() async throws {
        let heard = heard
        let listener = Listener("l", delivery: .serial) { heard.hear($0) }
        for pattern: EventPattern in ["a.b", "a.*", "a.**", "**"] {
            #expect(try bus.addListener(listener, to: pattern))
        }
        bus.emit("a.b", "1")
        for pattern: EventPattern in ["**", "a.b", "a.**"] { #expect(bus.removeListener(listener, from: pattern)) }
        bus.emit("a.b", "2")
        bus.emit("a.b.c", "not heard")
        await bus.waitUntilIdle()
        #expect(heard.entries == ["1", "2"])
        #expect(bus.removeListener(listener, from: "a.*"))
        #expect(bus.load(of: listener) == nil)
    }

    @Test("removing a listener takes it off all its patterns")
    func removeFromAll() async throws {
        let heard = heard
        let listener = bus.on("a") { heard.hear($0) }
        try bus.addListener(listener, to: "b.**")
        #expect(bus.removeListener(listener))
        #expect(!bus.removeListener(listener))
        bus.emit("a", "1")
        bus.emit("b.c", "2")
        await bus.waitUntilIdle()
        #expect(heard.entries.isEmpty)
    }

    @Test("two listeners of the same function are two listeners")
    func identity() async {
        let heard = heard
        let body: Listener.Body = { heard.hear($0) }
        bus.on("a", body: body)
        bus.on("a", body: body)
        bus.emit("a", "1")
        await bus.waitUntilIdle()
        #expect(heard.entries == ["1", "1"])
    }

    @Test("a listener of everything hears no reserved names, and one that asks for them does")
    func reservedNames() async {
        let heard = heard
        bus.on("**") { heard.write("everything: \($0.name)") }
        bus.on("$bus.**") { heard.write("reports: \($0.name)") }
        bus.emit("$bus.failed")
        bus.emit("$other")
        await bus.waitUntilIdle()
        #expect(heard.entries == ["reports: $bus.failed"])
    }

    @Test("an event that nobody wants is gone, and not kept for those who come later")
    func noListeners() async {
        let heard = heard
        bus.emit("a", "early")
        bus.on("a") { heard.hear($0) }
        bus.emit("a", "late")
        await bus.waitUntilIdle()
        #expect(heard.entries == ["late"])
    }

    @Test("an event tells name, payload, attributes, time and who emitted it, and no two have the same identity")
    func eventParts() async {
        let events = Journal<Event>()
        bus.on("a.*", delivery: .serial) { events.write($0) }
        let before = Timestamp.now
        bus.emit("a.b", "1", attributes: EventAttributes(headers: [.init("k", "v")]))
        let receipt = bus.tracked.emit("a.c")
        await bus.waitUntilIdle()
        #expect(events.entries.map(\.name) == ["a.b", "a.c"])
        #expect(events.entries[0].payload == "1" && events.entries[1].payload == .empty)
        #expect(events.entries[0].attributes[header: "k"] == "v")
        #expect(events.entries.allSatisfy { $0.origin.bus == bus.source && $0.origin.hops == 0 })
        #expect(events.entries.allSatisfy { $0.time >= before })
        #expect(events.entries[1].id == receipt.id)
        #expect(events.entries[0].id != events.entries[1].id)
        #expect(EventBus(name: "x").source != EventBus(name: "x").source)
        #expect(EventBus(name: "x").source.hasPrefix("x-"))
    }

    @Test("an event that is passed on keeps its identity")
    func passedOn() async {
        let events = Journal<Event>()
        bus.on("a") { events.write($0) }
        let event = Event(
            id: EventID(source: "far", tag: "7"),
            name: "a",
            payload: "1",
            origin: EventOrigin(bus: "far")
        )
        bus.emit(event)
        await bus.waitUntilIdle()
        #expect(events.entries.map(\.id) == [event.id])
        #expect(events.entries.map(\.origin.bus) == ["far"])
    }

    @Test("a listener on two buses has a mailbox on each, and leaves one without the other")
    func twoBuses() async throws {
        let other = EventBus(logger: .silent)
        let (heard, gate) = (heard, Gate())
        let listener = Listener("l", delivery: .serial, .capacity(1), .whenFull(.dropNewest)) { event in
            heard.hear(event)
            await gate.pass()
        }
        try bus.addListener(listener, to: "a")
        try other.addListener(listener, to: "a")
        bus.emit("a", "here")
        other.emit("a", "there")
        #expect(await heard.wait(for: 2).sorted() == ["here", "there"])
        for _ in 0..<3 { bus.emit("a", "again") }
        #expect(bus.load(of: listener)?.dropped == 2)
        #expect(other.load(of: listener)?.dropped == 0)
        bus.removeListener(listener)
        other.emit("a", "still there")
        gate.open()
        await other.waitUntilIdle()
        #expect(heard.entries.last == "still there")
        #expect(heard.count == 3)
    }

    @Test("a bus is idle when nothing waits or runs, also what listeners emitted to one another")
    func waitUntilIdle() async {
        for round in 0..<50 {
            let (bus, heard) = (EventBus(logger: .silent), Journal<String>())
            for listener in 0..<4 {
                bus.on(EventPattern(EventName(spelled: "ring.\(listener)")), name: "l") { [weak bus] event in
                    let left = Int(event.payload.text ?? "") ?? 0
                    await Task.yield()
                    heard.hear(event)
                    if left > 0 { bus?.emit(EventName(spelled: "ring.\((listener + 1) % 4)"), "\(left - 1)") }
                }
            }
            bus.emit("ring.0", "20")
            await bus.waitUntilIdle()
            #expect(heard.count == 21, "round \(round)")
        }
    }
}
