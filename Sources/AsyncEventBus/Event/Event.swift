import Synchronization

/// An event: a name, a payload and metadata.
///
/// Immutable and cheap to pass to many listeners: a copy is one reference and a number.
public struct Event: Sendable {
    // One allocation, small enough for the allocator's fast path even if another thread frees it: few words, and few
    // counted references for threads to contend on.
    private final class Storage: Sendable {
        /// Nil if it is the bus of the origin.
        let source: String?
        let tag: EventID.Tag
        let name: EventName
        let payload: Payload
        let time: Timestamp
        let origin: EventOrigin
        let attributes: EventAttributes
        /// Created when a listener of a topic first needs the value of the payload.
        let decodedValues = AtomicLazyReference<DecodedValues>()

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

    /// The number of the attempt to deliver the event to this listener: 1 at first, more for a retry and for another
    /// delivery after a crash.
    public private(set) var attempt = 1

    /// Creates an event that already has an identity: for transports and for forwarded events. To emit a new event, use
    /// ``EventBus/emit(_:_:attributes:scope:)-(_,Payload,_,_)``.
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

    /// Creates an event that is emitted here. The bus of its origin assigned the sequence.
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

    /// The identity, the same in all copies.
    public var id: EventID { EventID(source: storage.source ?? storage.origin.bus, storage: storage.tag) }

    /// The name.
    public var name: EventName { storage.name }

    /// The payload.
    public var payload: Payload { storage.payload }

    /// The time of the emit if known, else of the arrival.
    public var time: Timestamp { storage.time }

    /// The origin.
    public var origin: EventOrigin { storage.origin }

    /// The optional metadata.
    public var attributes: EventAttributes { storage.attributes }

    /// The bytes that count against the bounds of mailboxes: name, payload and attributes.
    var size: Int { storage.payload.size + storage.name.text.utf8.count + storage.attributes.size }

    /// The values of the payload, shared by all copies.
    var decodedValues: DecodedValues {
        storage.decodedValues.load() ?? storage.decodedValues.storeIfNil(DecodedValues())
    }

    /// Returns the same event with another attempt number.
    package func attempt(_ number: Int) -> Event {
        var event = self
        event.attempt = number
        return event
    }
}

extension Event: Equatable {
    /// Whether identity, name, payload, time, origin, attributes and attempt are equal.
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
            "\(String(reflecting: name.text)) (\(String(reflecting: id.description)), \(payload.size) bytes\(attempt))"
    }
}
