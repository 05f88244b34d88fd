/// A message that came in and waits for its listeners.
public struct InboundRecord: Sendable, Hashable {
    /// Its place in the order of arrival; positive, unique in the store among inbound and outbound messages.
    public var sequence: Int64
    /// The name of the route that took it.
    public var route: String
    /// The name of the broker that it came from.
    public var broker: String
    /// The topic.
    public var topic: String
    /// The name of the event.
    public var event: String
    /// The identity: who made it …
    public var source: String
    /// … and which of that one's it is.
    public var tag: String
    /// The payload.
    public var payload: [UInt8]
    /// What else is known, in the bridge's own notation; empty for nothing.
    public var details: String
    /// When it arrived.
    public var time: Int64
    /// When it is no longer worth delivering; nil for never.
    public var expires: Int64?
    /// The names of the listeners that it waits for; at least one.
    public var audience: [String]

    /// A message.
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
        audience: [String]
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
        self.audience = audience
    }

    /// What it counts towards limits in bytes.
    public var size: Int { StoreSize.of(payload: payload.count, topic, event, details) }
}

/// A message that waits to be published.
public struct OutboundRecord: Sendable, Hashable {
    /// Its place in the order of emits; positive, unique in the store among inbound and outbound messages.
    public var sequence: Int64
    /// The name of the route that took it.
    public var route: String
    /// The name of the broker that it is for.
    public var broker: String
    /// The topic.
    public var topic: String
    /// The name of the event.
    public var event: String
    /// The identity: who made it …
    public var source: String
    /// … and which of that one's it is.
    public var tag: String
    /// The payload as it goes over the wire.
    public var payload: [UInt8]
    /// The properties that go with it, in the bridge's own notation; empty for none.
    public var details: String
    /// 0, 1 or 2.
    public var qos: UInt8
    /// Whether the broker shall keep it.
    public var isRetained: Bool
    /// When it was emitted.
    public var time: Int64
    /// When it is no longer worth delivering; nil for never.
    public var expires: Int64?

    /// A message.
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

    /// What it counts towards limits in bytes.
    public var size: Int { StoreSize.of(payload: payload.count, topic, event, details) }
}

/// What a message counts towards limits in bytes.
enum StoreSize {
    /// Stands for the rest of a row: numbers, names of the route and broker, the identity.
    static let overhead = 100

    static func of(payload: Int, _ topic: String, _ event: String, _ details: String) -> Int {
        payload + topic.utf8.count + event.utf8.count + details.utf8.count + overhead
    }
}

/// How far a listener has come with a message.
public struct ListenerProgress: Sendable, Hashable {
    /// Whether it is done with it.
    public var isFinished: Bool
    /// How often it was tried and failed.
    public var attempts: Int

    /// A progress.
    public init(isFinished: Bool, attempts: Int) {
        self.isFinished = isFinished
        self.attempts = attempts
    }
}

/// An inbound message as it stands in the store.
public struct InboundEntry: Sendable, Hashable {
    /// The message.
    public var record: InboundRecord
    /// How many processes have found it when they started.
    public var recoveries: Int
    /// What is known of its listeners, by name; those that have neither finished nor failed are missing.
    public var progress: [String: ListenerProgress]

    /// An entry.
    public init(record: InboundRecord, recoveries: Int = 0, progress: [String: ListenerProgress] = [:]) {
        self.record = record
        self.recoveries = recoveries
        self.progress = progress
    }
}

/// The identity of a message under the name that its event had here: what a second copy is recognised by.
public struct SeenIdentity: Sendable, Hashable {
    /// Who made the message.
    public var source: String
    /// Which of that one's it is.
    public var tag: String
    /// The name of the event.
    public var event: String
    /// When it came first.
    public var time: Int64

    /// An identity.
    public init(source: String, tag: String, event: String, time: Int64) {
        self.source = source
        self.tag = tag
        self.event = event
        self.time = time
    }
}
