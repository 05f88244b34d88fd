/// Something that happened: a name, a payload, and what is known about both.
///
/// Immutable, and cheap to hand to many listeners: a copy is one reference and a number.
public struct Event: Sendable {
    private final class Storage: Sendable {
        let id: EventID
        let name: EventName
        let payload: Payload
        let time: Timestamp
        let origin: EventOrigin
        let attributes: EventAttributes

        init(
            id: EventID,
            name: EventName,
            payload: Payload,
            time: Timestamp,
            origin: EventOrigin,
            attributes: EventAttributes
        ) {
            self.id = id
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
        storage = Storage(id: id, name: name, payload: payload, time: time, origin: origin, attributes: attributes)
    }

    /// The identity, the same in every copy.
    public var id: EventID { storage.id }

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

    /// The same event in another delivery.
    package func attempt(_ number: Int) -> Event {
        var event = self
        event.attempt = number
        return event
    }
}

/// Where an event came from.
public struct EventOrigin: Sendable {
    /// The source of the bus that the event first entered.
    public let bus: String

    /// The transport that brought it to this bus; nil if it was emitted here.
    public let transport: (any TransportDetails)?

    /// How many bridges passed it on until it came here; 0 if it was emitted here.
    public let hops: Int

    /// Whether it is state that the transport kept and shows to a newcomer, rather than something that happened now.
    public let isReplayed: Bool

    /// An origin.
    public init(bus: String, transport: (any TransportDetails)? = nil, hops: Int = 0, isReplayed: Bool = false) {
        self.bus = bus
        self.transport = transport
        self.hops = hops
        self.isReplayed = isReplayed
    }
}

/// What a transport knows about an event that it brought. Each transport has a type of its own.
public protocol TransportDetails: AnyObject, Sendable {
    /// The link that the event came by: an event is not sent back by the link that it came from.
    var link: String { get }
}

/// What an event may carry beside its payload. All of it is optional.
public struct EventAttributes: Sendable, Hashable {
    /// A header: names may repeat, and order is kept.
    public struct Header: Sendable, Hashable {
        /// The name.
        public var name: String
        /// The value.
        public var value: String

        /// A header.
        public init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    /// The media type of the payload.
    public var contentType: String?
    /// Names and values of the user's own, in order.
    public var headers: [Header]
    /// How long after its time the event is worth delivering.
    public var timeToLive: Duration?
    /// What a reply must carry so that the asker knows it.
    public var correlation: [UInt8]?
    /// Where a reply is awaited, in the terms of the transport.
    public var replyTo: String?

    /// Attributes; those not given are absent.
    public init(
        contentType: String? = nil,
        headers: [Header] = [],
        timeToLive: Duration? = nil,
        correlation: [UInt8]? = nil,
        replyTo: String? = nil
    ) {
        self.contentType = contentType
        self.headers = headers
        self.timeToLive = timeToLive
        self.correlation = correlation
        self.replyTo = replyTo
    }

    /// The value of the first header of that name.
    public subscript(header name: String) -> String? {
        headers.first { $0.name == name }?.value
    }
}
