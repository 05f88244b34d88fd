public import AsyncEventBus
public import Mosquitto

/// The MQTT details of an event that came from a broker.
public final class MQTTDetails: TransportDetails {
    /// The name of the broker in the configuration.
    public let broker: String
    /// The topic that the message was published to.
    public let topic: String
    /// The QoS of the delivery to the bridge.
    public let qos: QoS
    /// Whether the message came with the retain flag. If ``/AsyncEventBus/EventOrigin/isReplayed`` is set, the broker
    /// had retained it before the bridge subscribed. Otherwise its publisher set the flag, which the bridge sees only
    /// if a route with ``Retention/asReceived`` needs it.
    public let isRetained: Bool
    /// The name of the route that matched the topic.
    public let route: String

    /// Identifies the connection: an event is not published to the connection that it came from.
    public let link: String

    /// Whether messages of the broker carry an identity, by which the loop guard recognises them.
    let carriesIdentity: Bool

    /// Whether durable outbound routes have the event already: its messages for them were stored together with it.
    let isForwarded: Bool

    /// The name for responses that the message's response topic stands for, whether or not listeners may use it.
    let replyName: EventName?

    /// How the event's state is forwarded to other brokers.
    let passage: StatePassage

    init(
        broker: String,
        link: String,
        topic: String,
        qos: QoS,
        isRetained: Bool,
        route: String,
        carriesIdentity: Bool,
        isForwarded: Bool = false,
        replyName: EventName? = nil,
        passage: StatePassage = .none
    ) {
        self.broker = broker
        self.link = link
        self.topic = topic
        self.qos = qos
        self.isRetained = isRetained
        self.route = route
        self.carriesIdentity = carriesIdentity
        self.isForwarded = isForwarded
        self.replyName = replyName
        self.passage = passage
    }
}

extension Event {
    /// The MQTT details; nil if the event did not come from a broker.
    public var mqtt: MQTTDetails? { origin.transport as? MQTTDetails }
}
