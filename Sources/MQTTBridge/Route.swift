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
    /// Whether messages are kept in the store until they are done with; nil for ``Durability/disk`` where the bridge has
    /// a store and ``qos`` is 1 or 2, else ``Durability/memory``.
    ///
    /// Durable messages are received at QoS 1 at most: libmosquitto acknowledges one at QoS 2 before anybody can have
    /// stored it (handle_publish.c, 2.0.11).
    public var durability: Durability?
    /// How long after its arrival or emit a message is worth delivering, beside what it says itself.
    public var timeToLive: Duration?
    /// How much of each direction the store holds for this route; nil for no limit of its own.
    public var limits: StoreLimits?
    /// What happens when that much is there, or the store is full; nil for the policy of the store.
    public var policy: StorePolicy?

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
        retain: Bool = false,
        durability: Durability? = nil,
        timeToLive: Duration? = nil
    ) {
        self.name = name ?? "\(broker): \(topic) = \(event)"
        self.broker = broker
        self.topic = topic
        self.event = event
        self.direction = direction
        self.qos = qos
        self.retain = retain
        self.durability = durability
        self.timeToLive = timeToLive
    }

    /// Everything, both ways: each level of a topic is a segment of a name.
    public static func everything(broker: String = "default") -> Route {
        Route("{topic...}", "{topic...}", .both, name: "everything", broker: broker)
    }

    /// Whether its messages are kept in the store.
    var isDurable: Bool { durability == .disk }

    /// The QoS to subscribe with.
    var subscriptionQoS: QoS { isDurable ? min(qos, .atLeastOnce) : qos }

    /// The same with everything said that depends on whether there is a store.
    func resolved(hasStore: Bool) -> Route {
        var route = self
        route.durability = durability ?? (hasStore && qos > .atMostOnce ? .disk : .memory)
        return route
    }

    var toEvent: Mapping { Mapping(source: topic.template, target: event.template) }
    var toTopic: Mapping { Mapping(source: event.template, target: topic.template) }
}
