/// An inbound message that waits for its listeners.
public struct InboundRecord: Sendable, Hashable {
    /// The position in the order of arrival: positive, and unique in the store across both directions.
    public var sequence: Int64
    /// The name of the route.
    public var route: String
    /// The name of the broker that sent it.
    public var broker: String
    /// The topic.
    public var topic: String
    /// The name of the event.
    public var event: String
    /// The first half of the message's identity: its producer.
    public var source: String
    /// The second half of the identity: unique within `source`.
    public var tag: String
    /// The payload.
    public var payload: [UInt8]
    /// Further attributes in the bridge's encoding; empty for none.
    public var details: String
    /// The time of arrival.
    public var time: Int64
    /// The time of expiry; nil for never.
    public var expires: Int64?
    /// The names of the listeners that must finish with it; at least one.
    public var listeners: [String]

    /// Creates a message.
    public init(
        sequence: Int64,
        route: String,
        broker: String,
        topic: String,
        event: String,
        source: String,
        tag: String,
        payload: [UInt8],
        details: String = "",
        time: Int64,
        expires: Int64? = nil,
        listeners: [String]
    ) {
        self.sequence = sequence
        self.route = route
        self.broker = broker
        self.topic = topic
        self.event = event
        self.source = source
        self.tag = tag
        self.payload = payload
        self.details = details
        self.time = time
        self.expires = expires
        self.listeners = listeners
    }

    /// The size that counts against limits, in bytes.
    public var size: Int { StoreSize.of(payload: payload.count, topic, event, details) }
}

/// An outbound message that waits for publication.
public struct OutboundRecord: Sendable, Hashable {
    /// The position in the order of emission: positive, and unique in the store across both directions.
    public var sequence: Int64
    /// The name of the route.
    public var route: String
    /// The name of the destination broker.
    public var broker: String
    /// The topic.
    public var topic: String
    /// The name of the event.
    public var event: String
    /// The first half of the message's identity: its producer.
    public var source: String
    /// The second half of the identity: unique within `source`.
    public var tag: String
    /// The payload as sent.
    public var payload: [UInt8]
    /// The properties of the message in the bridge's encoding; empty for none.
    public var details: String
    /// The QoS: 0, 1 or 2.
    public var qos: UInt8
    /// The retain flag.
    public var isRetained: Bool
    /// The time of emission.
    public var time: Int64
    /// The time of expiry; nil for never.
    public var expires: Int64?

    /// Creates a message.
    public init(
        sequence: Int64,
        route: String,
        broker: String,
        topic: String,
        event: String,
        source: String,
        tag: String,
        payload: [UInt8],
        details: String = "",
        qos: UInt8,
        isRetained: Bool = false,
        time: Int64,
        expires: Int64? = nil
    ) {
        self.sequence = sequence
        self.route = route
        self.broker = broker
        self.topic = topic
        self.event = event
        self.source = source
        self.tag = tag
        self.payload = payload
        self.details = details
        self.qos = qos
        self.isRetained = isRetained
        self.time = time
        self.expires = expires
    }

    /// The size that counts against limits, in bytes.
    public var size: Int { StoreSize.of(payload: payload.count, topic, event, details) }
}

extension DeadLetter {
    /// The size that the message counted against limits before it became a dead letter, in bytes.
    public var sizeAsMessage: Int { StoreSize.of(payload: payloadSize, topic, event, details) }

    /// The size that counts against the limits of dead letters, in bytes.
    public var size: Int { StoreSize.of(payload: payload?.count ?? 0, topic, event, details) + error.utf8.count }
}

/// The size that a message counts against limits, in bytes.
enum StoreSize {
    /// An estimate for the other columns of a row: numbers, the names of route and broker, the identity.
    static let overhead = 100

    static func of(payload: Int, _ topic: String, _ event: String, _ details: String) -> Int {
        payload + topic.utf8.count + event.utf8.count + details.utf8.count + overhead
    }
}

/// The progress of a listener with a message.
public struct ListenerProgress: Sendable, Hashable {
    /// Whether the listener has finished with the message.
    public var isFinished: Bool
    /// The number of failed calls.
    public var attempts: Int
    /// The number of calls that were recorded as begun and never ended. Failed calls are not included.
    public var interruptions: Int

    /// Creates a progress.
    public init(isFinished: Bool, attempts: Int, interruptions: Int = 0) {
        self.isFinished = isFinished
        self.attempts = attempts
        self.interruptions = interruptions
    }
}

/// An inbound message with its state in the store.
public struct InboundEntry: Sendable, Hashable {
    /// The message.
    public var record: InboundRecord
    /// The number of unclean shutdowns since its arrival.
    public var recoveries: Int
    /// The progress of its listeners by name. Listeners that have neither finished nor failed have no entry.
    public var progress: [String: ListenerProgress]

    /// Creates an entry.
    public init(record: InboundRecord, recoveries: Int = 0, progress: [String: ListenerProgress] = [:]) {
        self.record = record
        self.recoveries = recoveries
        self.progress = progress
    }
}

/// Detects duplicates: the identity of a message, the name of its event here, and a digest of its payload.
public struct SeenIdentity: Sendable, Hashable {
    /// The producer of the message.
    public var source: String
    /// The second half of the identity: unique within `source`.
    public var tag: String
    /// The name of the event.
    public var event: String
    /// A keyed digest of the payload; the store keeps the key. A message with the same identity and another digest is
    /// no duplicate.
    public var digest: UInt64
    /// The time of the first arrival.
    public var time: Int64

    /// Creates an identity.
    public init(source: String, tag: String, event: String, digest: UInt64, time: Int64) {
        self.source = source
        self.tag = tag
        self.event = event
        self.digest = digest
        self.time = time
    }
}
