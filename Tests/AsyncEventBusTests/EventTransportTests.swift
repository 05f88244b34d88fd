import TestSupport
import Testing

@testable import AsyncEventBus

@Suite("EventTransport", .timeLimit(.deadlock))
struct EventTransportTests {
    private let bus = EventBus(logger: .silent)
    private let heard = Journal<String>()

    @Test("a transport is offered the events of its patterns, each once, in the order emitted, until it is detached")
    func offered() {
        let transport = FakeTransport()
        bus.attach(transport, to: ["a.*", "a.**", "a.b"])
        bus.attach(transport, to: ["a.b"])
        for number in 0..<10 { bus.emit("a.b", Payload(number: number)) }
        bus.emit("b")
        #expect(transport.offered.entries.map(\.number) == Array(0..<10))
        bus.detach(transport, from: ["a.*", "a.b"])
        bus.emit("a.b", "10")
        #expect(transport.offered.count == 11)
        bus.detach(transport, from: ["a.**", "never attached"])
        bus.emit("a.b")
        #expect(transport.offered.count == 11)
    }

    @Test("transports do not stand in each other's way: each is asked, whatever the others say")
    func several() async {
        let transports = [FakeTransport(answer: .full), FakeTransport(answer: .declined), FakeTransport()]
        for transport in transports { bus.attach(transport, to: ["**"]) }
        let heard = heard
        bus.on("**") { heard.hear($0) }
        let receipt = bus.tracked.emit("a", "1")
        #expect(transports.map(\.offered.count) == [1, 1, 1])
        #expect(receipt.summary.relayed == 2 && receipt.summary.refused == 1)
        #expect(transports.map(\.discarded.count) == [1, 0, 0])
        await bus.waitUntilIdle()
        #expect(heard.entries == ["1"])
    }

    @Test("what a transport brings in has its origin, and goes to listeners only when told so")
    func incoming() async {
        final class Link: TransportDetails {
            let link = "uplink"
        }
        let transport = FakeTransport()
        let origins = Journal<EventOrigin>()
        bus.attach(transport, to: ["**"])
        bus.on("**") { origins.write($0.origin) }
        let origin = EventOrigin(bus: "far", transport: Link(), hops: 1, isReplayed: true)
        bus.emit(Event(id: EventID(source: "far", tag: "1"), name: "a", payload: "", origin: origin), scope: .local)
        await bus.waitUntilIdle()
        #expect(transport.offered.count == 0)
        #expect(origins.entries.map { $0.transport?.link } == ["uplink"])
        #expect(origins.entries.map(\.hops) == [1] && origins.entries.map(\.isReplayed) == [true])
    }
}
