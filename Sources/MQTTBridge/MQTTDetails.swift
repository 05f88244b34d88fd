public import AsyncEventBus
public import Mosquitto

/// What is known of an event that came from a broker.
public final class MQTTDetails: TransportDetails {
    /// The name of the broker in the configuration.
    public let broker: String
    /// The topic.
    public let topic: String
    /// The QoS that it came with.
    public let qos: QoS
    /// Whether the broker had kept it.
    public let isRetained: Bool
    /// The name of the route that brought it in.
    public let route: String

    /// The connection: an event does not go back to where it came from.
    public let link: String

    /// Whether messages of that broker tell who sent them, so that one that goes in a circle is known again.
    let carriesIdentity: Bool

    /// Whether durable routes that pass it on have it already: it was stored for them when it was stored itself.
    let isForwarded: Bool

    init(
        broker: String,
        link: String,
        topic: String,
        qos: QoS,
        isRetained: Bool,
        route: String,
        carriesIdentity: Bool,
        isForwarded: Bool = false
    ) {
        self.broker = broker
        self.link = link
        self.topic = topic
        self.qos = qos
        self.isRetained = isRetained
        self.route = route
        self.carriesIdentity = carriesIdentity
        self.isForwarded = isForwarded
    }
}

extension Event {
    /// What is known of it from MQTT, if it came from a broker.
    public var mqtt: MQTTDetails? { origin.transport as? MQTTDetails }
}
