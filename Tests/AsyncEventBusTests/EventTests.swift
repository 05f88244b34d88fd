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

    private final class Details: TransportDetails {
        let link = "mqtt://a"
    }

    private static let details = Details()

    /// An event, and others that differ from it in one thing each.
    private static func event(
        tag: String = "1",
        name: EventName = "a",
        payload: Payload = "p",
        time: Int64 = 7,
        origin: EventOrigin = EventOrigin(bus: "far", transport: details, hops: 2),
        attributes: EventAttributes = EventAttributes()
    ) -> Event {
        Event(
            id: EventID(source: "far", tag: tag),
            name: name,
            payload: payload,
            time: Timestamp(nanoseconds: time),
            origin: origin,
            attributes: attributes
        )
    }

    @Test("events are equal when they carry the same, and differ when one part does")
    func equality() {
        #expect(Self.event() == Self.event())
        let origins = [
            EventOrigin(bus: "near", transport: Self.details, hops: 2), EventOrigin(bus: "far", hops: 2),
            EventOrigin(bus: "far", transport: Details(), hops: 2), EventOrigin(bus: "far", transport: Self.details),
            EventOrigin(bus: "far", transport: Self.details, hops: 2, isReplayed: true),
        ]
        let others =
            [
                Self.event(tag: "2"), Self.event(name: "b"), Self.event(payload: "q"), Self.event(time: 8),
                Self.event(attributes: EventAttributes(isText: true)), Self.event().attempt(2),
            ] + origins.map { Self.event(origin: $0) }
        for other in others { #expect(Self.event() != other) }
    }

    @Test("an event prints its name, identity and size, with control characters escaped, and not its payload")
    func description() {
        let event = Self.event(name: "a\u{7}b", payload: "secret")
        #expect(event.description == #""a\u{07}b" ("far/1", 6 bytes)"#)
        #expect(Self.event().attempt(3).description.hasSuffix(", 1 bytes, attempt 3)"))
        #expect(event.origin.description == #""far" by "mqtt://a", 2 hops"#)
        #expect(EventOrigin(bus: "here", isReplayed: true).description == #""here", replayed"#)
    }
}
