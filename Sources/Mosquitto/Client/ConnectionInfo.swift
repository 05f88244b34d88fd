/// The features and limits that the broker announced in CONNACK.
public struct ConnectionInfo: Sendable, Hashable {
    /// The URL of the broker.
    public let url: BrokerURL
    /// The protocol version of the connection.
    public let version: ProtocolVersion
    /// Session Present: whether the broker had kept the session.
    public let sessionPresent: Bool
    /// The most unacknowledged messages in flight: the smaller of ``ClientOptions/Limits/inFlightWindow`` and the broker's
    /// receive maximum.
    public let inFlightWindow: Int
    /// The largest packet that the broker accepts, in bytes; nil if it announced no limit.
    public let maximumPacketSize: Int?
    /// The highest QoS that the broker accepts.
    public let maximumQoS: QoS
    /// Whether the broker supports retained messages.
    public let retainAvailable: Bool
    /// Whether the broker supports wildcard subscriptions.
    public let wildcardsAvailable: Bool
    /// Whether the broker supports subscription identifiers. Without meaning in MQTT 3.1.1.
    public let subscriptionIdentifiersAvailable: Bool

    /// The defaults are those of a broker that announces no limits.
    package init(
        url: BrokerURL,
        version: ProtocolVersion,
        sessionPresent: Bool,
        inFlightWindow: Int,
        maximumPacketSize: Int? = nil,
        maximumQoS: QoS = .exactlyOnce,
        retainAvailable: Bool = true,
        wildcardsAvailable: Bool = true,
        subscriptionIdentifiersAvailable: Bool = true
    ) {
        self.url = url
        self.version = version
        self.sessionPresent = sessionPresent
        self.inFlightWindow = inFlightWindow
        self.maximumPacketSize = maximumPacketSize
        self.maximumQoS = maximumQoS
        self.retainAvailable = retainAvailable
        self.wildcardsAvailable = wildcardsAvailable
        self.subscriptionIdentifiersAvailable = subscriptionIdentifiersAvailable
    }
}
