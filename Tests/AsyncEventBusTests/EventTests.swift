import Testing

@testable import AsyncEventBus

@Suite("Event")
struct EventTests {
    @Test("an event holds what it was made of, in every copy")
    func parts() {
        let attributes = EventAttributes(
            contentType: "text/plain",
            headers: [.init("a", "1"), .init("b", "2"), .init("a", "3")],
            timeToLive: .seconds(3),
            correlation: [1],
            replyTo: "there"
        )
        let event = Event(
            id: EventID(source: "far", tag: "x"),
            name: "a.b",
            payload: "p",
            time: Timestamp(nanoseconds: 7),
            origin: EventOrigin(bus: "far", hops: 2, isReplayed: true),
            attributes: attributes
        )
        let copy = event
        #expect(copy.id == EventID(source: "far", tag: "x"))
        #expect(copy.name == "a.b")
        #expect(copy.payload == "p")
        #expect(copy.time == Timestamp(nanoseconds: 7))
        #expect(copy.origin.bus == "far" && copy.origin.hops == 2 && copy.origin.isReplayed)
        #expect(copy.origin.transport == nil)
        #expect(copy.attributes == attributes)
    }

    @Test("an event counts its attempts from one, and another attempt is the same event")
    func attempts() {
        let event = Event(id: EventID(source: "s", tag: "1"), name: "a", payload: "p", origin: EventOrigin(bus: "s"))
        let second = event.attempt(2)
        #expect(event.attempt == 1 && second.attempt == 2)
        #expect(second.id == event.id && second.payload == event.payload)
    }

    @Test("a header is the first of its name, and all are kept in order")
    func headers() {
        let attributes = EventAttributes(headers: [.init("a", "1"), .init("b", "2"), .init("a", "3")])
        #expect(attributes[header: "a"] == "1")
        #expect(attributes[header: "A"] == nil)
        #expect(attributes.headers.map(\.value) == ["1", "2", "3"])
    }
}
