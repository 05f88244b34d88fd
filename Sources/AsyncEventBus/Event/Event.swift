/// Something that happened: a name, a payload, and what is known about both.
///
/// Immutable, and cheap to hand to many listeners: a copy is one reference and a number.
public struct Event: Sendable {
    // One allocation, small enough for the allocator's fast path also where another thread frees it: few words, and few
    // counted references that the threads would fight over.
    private final class Storage: Sendable {
        /// Nil where it is the source of the bus of the origin.
        let source: String?
        let tag: EventID.Tag
        let name: EventName
        let payload: Payload
        let time: Timestamp
        let origin: EventOrigin
        let attributes: EventAttributes

        init(
            source: String?,
            tag: EventID.Tag,
            name: EventName,
            payload: Payload,
            time: Timestamp,
            origin: EventOrigin,
            attributes: EventAttributes
        ) {
            self.source = source
            self.tag = tag
            self.name = name
            self.payload = payload
            self.time = time
            self.origin = origin
            self.attributes = attributes
        }
    }

    private let storage: Storage

    /// The number of this delivery to this listener: 1 at first, more when it is tried again after a failure, or
    /// delivered again after a crash.
    public private(set) var attempt = 1

    /// Makes an event that carries an identity already: for transports, and for events that are passed on.
    /// To emit something new, use ``EventBus/emit(_:_:attributes:scope:)``.
    public init(
        id: EventID,
        name: EventName,
        payload: Payload,
        time: Timestamp = .now,
        origin: EventOrigin,
        attributes: EventAttributes = EventAttributes()
    ) {
        storage = Storage(
            source: id.source.hasSameBytes(as: origin.bus) ? nil : id.source,
            tag: id.storage,
            name: name,
            payload: payload,
            time: time,
            origin: origin,
            attributes: attributes
        )
    }

    /// An event that is emitted here, as that number of the bus of its origin.
    init(
        sequence: UInt64,
        name: EventName,
        payload: Payload,
        time: Timestamp,
        origin: EventOrigin,
        attributes: EventAttributes
    ) {
        storage = Storage(
            source: nil,
            tag: .sequence(sequence),
            name: name,
            payload: payload,
            time: time,
            origin: origin,
            attributes: attributes
        )
    }

    /// The identity, the same in every copy.
    public var id: EventID { EventID(source: storage.source ?? storage.origin.bus, storage: storage.tag) }

    /// The name.
    public var name: EventName { storage.name }

    /// The payload.
    public var payload: Payload { storage.payload }

    /// When it was emitted, as far as known: else when it arrived.
    public var time: Timestamp { storage.time }

    /// Where it came from.
    public var origin: EventOrigin { storage.origin }

    /// What else is known about it.
    public var attributes: EventAttributes { storage.attributes }

    /// What it counts towards the bytes that mailboxes hold: name, payload and attributes.
    var size: Int { storage.payload.bytes.count + storage.name.text.utf8.count + storage.attributes.size }

    /// The same event in another delivery.
    package func attempt(_ number: Int) -> Event {
        var event = self
        event.attempt = number
        return event
    }
}

extension Event: Equatable {
    /// Whether both carry the same: identity, name, payload, time, origin, attributes and attempt.
    public static func == (left: Event, right: Event) -> Bool {
        guard left.attempt == right.attempt else { return false }
        return left.storage === right.storage
            || left.id == right.id && left.name == right.name && left.payload == right.payload
                && left.time == right.time && left.origin == right.origin && left.attributes == right.attributes
    }
}

extension Event: CustomStringConvertible {
    /// The name, the identity and the size of the payload: `"door.open" ("hall-1x9q/3-k2", 4 bytes)`. Never the payload.
    public var description: String {
        let attempt = attempt == 1 ? "" : ", attempt \(attempt)"
        return
            "\(String(reflecting: name.text)) (\(String(reflecting: id.description)), \(payload.bytes.count) bytes\(attempt))"
    }
}
