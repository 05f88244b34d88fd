/// An application message: what PUBLISH carries.
public struct Message: Sendable, Hashable {
    /// The topic. Of a received message: text, whatever characters it has; never to be used as a filter or a path.
    public var topic: String {
        get { knownTopic?.text ?? ownTopic }
        set { (ownTopic, knownTopic) = (newValue, nil) }
    }
    /// The payload.
    public var payload: [UInt8]
    /// The QoS that it was received with, or is to be published with.
    public var qos: QoS
    /// Outbound: the broker shall keep it. Inbound: the broker had kept it, or with
    /// ``SubscriptionRequest/retainAsPublished``, its publisher said so.
    public var isRetained: Bool
    /// What MQTT 5 says about it. Not sent to a broker that speaks 3.1.1.
    public var properties: MessageProperties {
        get { boxedProperties?.value ?? MessageProperties() }
        set { boxedProperties = newValue.isEmpty ? nil : Box(newValue) }
    }
    /// Of a received message whose payload was larger than ``ClientOptions/largestPayload``: how large it was, in bytes.
    /// ``payload`` is empty then.
    public private(set) var omittedPayloadSize: Int?
    /// The topic of a received message, with what is remembered of it; nil once it was changed.
    package private(set) var knownTopic: KnownTopic?
    /// Where the topic is no known one.
    private var ownTopic: String

    /// Most messages have none, and are passed on as a few words.
    private var boxedProperties: Box? {
        didSet { isPlain = boxedProperties == nil && omittedPayloadSize == nil }
    }

    private final class Box: Sendable, Hashable {
        let value: MessageProperties

        init(_ value: consuming MessageProperties) { self.value = value }

        static func == (left: Box, right: Box) -> Bool { left.value == right.value }

        func hash(into hasher: inout Hasher) { hasher.combine(value) }
    }

    /// Whether all of it is there, and MQTT 5 says nothing about it. Stored: other modules ask without a copy of it.
    package private(set) var isPlain: Bool

    /// A message.
    public init(
        topic: String,
        payload: [UInt8] = [],
        qos: QoS = .atMostOnce,
        isRetained: Bool = false,
        properties: consuming MessageProperties = MessageProperties()
    ) {
        ownTopic = topic
        self.payload = payload
        self.qos = qos
        self.isRetained = isRetained
        let box = properties.isEmpty ? nil : Box(properties)
        boxedProperties = box
        isPlain = box == nil
    }

    /// A message that was received.
    init(
        _ topic: KnownTopic,
        payload: [UInt8],
        qos: QoS,
        isRetained: Bool,
        properties: MessageProperties? = nil,
        omittedPayloadSize: Int? = nil
    ) {
        ownTopic = ""
        knownTopic = topic
        self.payload = payload
        self.qos = qos
        self.isRetained = isRetained
        self.omittedPayloadSize = omittedPayloadSize
        let box = properties.flatMap { $0.isEmpty ? nil : Box($0) }
        boxedProperties = box
        isPlain = box == nil && omittedPayloadSize == nil
    }

    /// Compares what is carried.
    public static func == (left: Message, right: Message) -> Bool {
        left.topic == right.topic && left.payload == right.payload && left.qos == right.qos
            && left.isRetained == right.isRetained && left.boxedProperties == right.boxedProperties
            && left.omittedPayloadSize == right.omittedPayloadSize
    }

    /// Hashes what is carried.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(topic)
        hasher.combine(payload)
        hasher.combine(qos)
        hasher.combine(isRetained)
        hasher.combine(boxedProperties)
        hasher.combine(omittedPayloadSize)
    }
}

/// The properties of PUBLISH (MQTT 5, section 3.3.2.3).
public struct MessageProperties: Sendable, Hashable {
    /// A name and a value of the user's own.
    public struct UserProperty: Sendable, Hashable {
        /// The name; names may repeat.
        public var name: String
        /// The value.
        public var value: String

        /// A user property.
        public init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    /// The media type of the payload.
    public var contentType: String?
    /// Where an answer is awaited.
    public var responseTopic: String?
    /// What an answer must carry.
    public var correlationData: [UInt8]?
    /// How long the message is worth delivering, in whole seconds; brokers count it down while they keep it.
    public var expiry: Duration?
    /// Whether the payload claims to be UTF-8 text.
    public var isText: Bool
    /// The user's own, in order.
    public var userProperties: [UserProperty]
    /// Which of our subscriptions the message matched, where they were numbered. Inbound only.
    public var subscriptionIdentifiers: [UInt32]

    /// Properties; those not given are absent.
    public init(
        contentType: String? = nil,
        responseTopic: String? = nil,
        correlationData: [UInt8]? = nil,
        expiry: Duration? = nil,
        isText: Bool = false,
        userProperties: [UserProperty] = [],
        subscriptionIdentifiers: [UInt32] = []
    ) {
        self.contentType = contentType
        self.responseTopic = responseTopic
        self.correlationData = correlationData
        self.expiry = expiry
        self.isText = isText
        self.userProperties = userProperties
        self.subscriptionIdentifiers = subscriptionIdentifiers
    }

    /// The value of the first user property of that name.
    public subscript(user name: String) -> String? {
        userProperties.first { $0.name == name }?.value
    }

    var isEmpty: Bool {
        userProperties.isEmpty && contentType == nil && responseTopic == nil && correlationData == nil && expiry == nil
            && !isText && subscriptionIdentifiers.isEmpty
    }
}

/// What the broker publishes for us when the connection ends without a DISCONNECT.
public struct Will: Sendable, Hashable {
    /// The message.
    public var message: Message
    /// How long the broker waits for us to come back before it publishes it (MQTT 5 only).
    public var delay: Duration

    /// A will.
    public init(_ message: Message, delay: Duration = .zero) {
        self.message = message
        self.delay = delay
    }
}
