/// An application message: the content of PUBLISH.
public struct Message: Sendable, Hashable {
    /// The topic. A received topic is untrusted text: never use it as a filter or a path.
    public var topic: String {
        get { knownTopic?.text ?? ownTopic }
        set { (ownTopic, knownTopic) = (newValue, nil) }
    }
    /// The payload.
    public var payload: [UInt8]
    /// The QoS with which the message was received, or is to be published.
    public var qos: QoS
    /// The retain flag. Outbound: the broker shall keep the message. Inbound: the broker had kept it, or with
    /// ``SubscriptionRequest/retainAsPublished``, the flag of the publisher.
    public var isRetained: Bool
    /// The MQTT 5 properties. The client does not send them to a broker at 3.1.1.
    public var properties: MessageProperties {
        get { boxedProperties?.value ?? MessageProperties() }
        set { boxedProperties = newValue.isEmpty ? nil : Box(newValue) }
    }
    /// The size, in bytes, of the payload and user properties that were left out of a received message. The client
    /// omits both if they exceed ``ClientOptions/Limits/largestPayload``, or if there are more than 1,024 user properties;
    /// then the size counts the first 1,025.
    ///
    /// Spelled `Optional`, as some others below: `?` would initialise the property to nil first, and an initializer
    /// that sets it again ends with a copy of the whole message.
    public private(set) var omittedPayloadSize: Optional<Int>
    /// The topic of a received message, with its note; nil once the topic was changed.
    package private(set) var knownTopic: Optional<KnownTopic>
    /// The topic, unless ``knownTopic`` has it.
    private var ownTopic: String

    /// Boxed: most messages have no properties, and stay a few words large.
    private var boxedProperties: Optional<Box> {
        didSet { isPlain = boxedProperties == nil && omittedPayloadSize == nil }
    }

    private final class Box: Sendable, Hashable {
        let value: MessageProperties

        init(_ value: consuming MessageProperties) { self.value = value }

        static func == (left: Box, right: Box) -> Bool { left.value == right.value }

        func hash(into hasher: inout Hasher) { hasher.combine(value) }
    }

    /// The size that counts towards limits, in bytes: topic, payload and properties.
    var size: Int { topic.utf8.count + payload.count + (boxedProperties?.value.size ?? 0) }

    /// Whether the message is complete and has no MQTT 5 properties. Stored, so that other modules can test it without
    /// a copy of the message.
    package private(set) var isPlain: Bool

    /// Creates a message.
    public init(
        topic: String,
        payload: [UInt8] = [],
        qos: QoS = .atMostOnce,
        isRetained: Bool = false,
        properties: consuming MessageProperties = MessageProperties()
    ) {
        ownTopic = topic
        knownTopic = nil
        omittedPayloadSize = nil
        self.payload = payload
        self.qos = qos
        self.isRetained = isRetained
        let box = properties.isEmpty ? nil : Box(properties)
        boxedProperties = box
        isPlain = box == nil
    }

    /// Creates a received message. Inlined: a call costs a hundred instructions more per message.
    @inline(__always)
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

    /// Compares the content.
    public static func == (left: Message, right: Message) -> Bool {
        left.topic == right.topic && left.payload == right.payload && left.qos == right.qos
            && left.isRetained == right.isRetained && left.boxedProperties == right.boxedProperties
            && left.omittedPayloadSize == right.omittedPayloadSize
    }

    /// Hashes the content.
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
    /// A user property: a name and a value.
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
    /// The topic for the response.
    public var responseTopic: String?
    /// Correlates a response with this request.
    public var correlationData: [UInt8]?
    /// The message expiry interval, in whole seconds; brokers count it down while they keep the message.
    public var expiry: Duration?
    /// Whether the payload format indicator declares UTF-8 text.
    public var isText: Bool
    /// The user properties, in order.
    public var userProperties: [UserProperty]
    /// The identifiers of the matching subscriptions. Inbound only.
    public var subscriptionIdentifiers: [UInt32]

    /// Creates properties; the defaults are absent.
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

    /// The value of the first user property with that name.
    public subscript(user name: String) -> String? {
        userProperties.first { $0.name == name }?.value
    }

    /// The approximate size in a packet, in bytes: counts towards limits.
    var size: Int {
        var size = subscriptionIdentifiers.count * 5 + (expiry == nil ? 0 : 5) + (isText ? 2 : 0)
        if let contentType { size += 3 + contentType.utf8.count }
        if let responseTopic { size += 3 + responseTopic.utf8.count }
        if let correlationData { size += 3 + correlationData.count }
        for property in userProperties { size += 5 + property.name.utf8.count + property.value.utf8.count }
        return size
    }

    var isEmpty: Bool {
        userProperties.isEmpty && contentType == nil && responseTopic == nil && correlationData == nil && expiry == nil
            && !isText && subscriptionIdentifiers.isEmpty
    }
}

/// The will: the broker publishes it when the connection ends without DISCONNECT.
public struct Will: Sendable, Hashable {
    /// The message.
    public var message: Message
    /// The will delay interval: how long the broker waits for a new connection before it publishes the will (MQTT 5
    /// only).
    public var delay: Duration
    /// The birth message, on the same topic: the client publishes it on each connection, before any other message.
    ///
    /// With a birth message, the client also publishes ``message`` itself right before DISCONNECT when ``Client/run()``
    /// ends in order: the broker does not publish the will then, and would retain the birth message. The client does
    /// not wait for the acknowledgement of either.
    public var birth: Message?

    /// Creates a will.
    public init(_ message: Message, delay: Duration = .zero, birth: Message? = nil) {
        self.message = message
        self.delay = delay
        self.birth = birth
    }
}
