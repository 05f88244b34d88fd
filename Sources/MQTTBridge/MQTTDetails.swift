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

    init(broker: String, link: String, message: Message, route: String, carriesIdentity: Bool) {
        self.broker = broker
        self.link = link
        topic = message.topic
        qos = message.qos
        isRetained = message.isRetained
        self.route = route
        self.carriesIdentity = carriesIdentity
    }
}

extension Event {
    /// What is known of it from MQTT, if it came from a broker.
    public var mqtt: MQTTDetails? { origin.transport as? MQTTDetails }
}
