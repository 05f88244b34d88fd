public import Mosquitto

/// A rule that maps topics of one broker to events, events to topics, or both.
public struct Route: Sendable, Hashable {
    /// Which way messages go.
    public enum Direction: String, Sendable, Hashable, CaseIterable {
        /// From the broker to the bus.
        case `in`
        /// From the bus to the broker.
        case out
        /// Both ways.
        case both

        var includesIn: Bool { self != .out }
        var includesOut: Bool { self != .in }
    }

    /// What people call it; must be unique.
    public var name: String
    /// The name of the broker.
    public var broker: String
    /// The topics.
    public var topic: TopicTemplate
    /// The events. Has the same captures as the topics.
    public var event: EventTemplate
    /// Which way messages go.
    public var direction: Direction
    /// The QoS to subscribe and to publish with.
    public var qos: QoS
    /// Whether the broker shall keep what is published as the state of the topic.
    public var retain: Bool

    /// A route.
    ///
    /// - Parameters:
    ///   - name: If not given, the broker and both templates: `default: home/{room} = climate.{room}`.
    ///   - broker: `default` is what a bridge with one broker calls it, unless it is named.
    public init(
        _ topic: TopicTemplate,
        _ event: EventTemplate,
        _ direction: Direction = .both,
        name: String? = nil,
        broker: String = "default",
        qos: QoS = .atLeastOnce,
        retain: Bool = false
    ) {
        self.name = name ?? "\(broker): \(topic) = \(event)"
        self.broker = broker
        self.topic = topic
        self.event = event
        self.direction = direction
        self.qos = qos
        self.retain = retain
    }

    /// Everything, both ways: each level of a topic is a segment of a name.
    public static func everything(broker: String = "default") -> Route {
        Route("{topic...}", "{topic...}", .both, name: "everything", broker: broker)
    }

    var toEvent: Mapping { Mapping(source: topic.template, target: event.template) }
    var toTopic: Mapping { Mapping(source: event.template, target: topic.template) }
}
