public import AsyncEventBus
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

    /// The name, by which messages and the store refer to the route; unique within a bridge.
    public var name: String
    /// The name of the broker.
    public var broker: String
    /// The topics, for both directions.
    public var topic: TopicTemplate
    /// The events. Must have the same captures as ``topic``.
    public var event: EventTemplate
    /// Which way messages go.
    public var direction: Direction
    /// The QoS to subscribe and to publish with.
    public var qos: QoS
    /// Whether published messages are retained: `true`, `false` or ``Retention/asReceived``. Has no effect if
    /// ``direction`` is ``Direction/in``.
    public var retain: Retention
    /// Whether unfinished messages are kept in the store; nil for ``Durability/disk`` if the bridge has a store and
    /// ``qos`` is 1 or 2, otherwise ``Durability/memory``.
    ///
    /// Durable messages are received at QoS 1 at most: libmosquitto acknowledges a QoS 2 message before the bridge can
    /// store it (handle_publish.c, 2.0.11).
    public var durability: Durability?
    /// The time after arrival or emit within which a message is delivered; a shorter expiry of the message itself takes
    /// precedence. Nil for no limit.
    public var timeToLive: Duration?
    /// The limits of this route in the store, for each direction; nil for no limits of its own.
    public var limits: StoreLimits?
    /// What happens when ``limits`` or the limits of the store are reached; nil for the policy of the store.
    public var policy: StorePolicy?

    /// Describes a route; ``RouteCheck`` finds its problems.
    ///
    /// - Parameters:
    ///   - topic: The topics.
    ///   - event: The events; with the same captures as `topic`.
    ///   - direction: Which way messages go.
    ///   - name: If nil, the broker and both templates: `default: home/{room} = climate.{room}`.
    ///   - broker: The name of the broker; ``Broker`` has the same default.
    ///   - qos: The QoS to subscribe and to publish with.
    ///   - retain: Whether published messages are retained.
    ///   - durability: See ``durability``.
    ///   - timeToLive: See ``timeToLive``.
    public init(
        _ topic: TopicTemplate,
        _ event: EventTemplate,
        direction: Direction = .both,
        name: String? = nil,
        broker: String = "default",
        qos: QoS = .atLeastOnce,
        retain: Retention = .never,
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

    /// Describes a route between MQTT topics and the events of a topic of the bus.
    ///
    /// ```swift
    /// Route("meters/{id}/pressure", Site.pressure, direction: .in)
    /// ```
    public init<Value>(
        _ topic: TopicTemplate,
        _ event: Topic<Value>,
        direction: Direction = .both,
        name: String? = nil,
        broker: String = "default",
        qos: QoS = .atLeastOnce,
        retain: Retention = .never,
        durability: Durability? = nil,
        timeToLive: Duration? = nil
    ) {
        self.init(
            topic,
            event.template,
            direction: direction,
            name: name,
            broker: broker,
            qos: qos,
            retain: retain,
            durability: durability,
            timeToLive: timeToLive
        )
    }

    /// The routes that are meant by a list: if it is empty, one that maps everything of the first broker both ways.
    package static func meant(by routes: [Route], brokers: [String]) -> [Route] {
        routes.isEmpty ? brokers.prefix(1).map { .everything(broker: $0) } : routes
    }

    /// A route that maps everything both ways: each topic level is a segment of the event name.
    public static func everything(broker: String = "default") -> Route {
        Route("{topic...}", "{topic...}", name: "everything", broker: broker)
    }

    var isDurable: Bool { durability == .disk }

    /// The QoS to subscribe with.
    var subscriptionQoS: QoS { isDurable ? min(qos, .atLeastOnce) : qos }

    /// The route with its default ``durability`` filled in.
    func resolved(hasStore: Bool) -> Route {
        var route = self
        route.durability = durability ?? (hasStore && qos > .atMostOnce ? .disk : .memory)
        return route
    }

    var toEvent: Mapping { Mapping(source: topic.template, target: event.template) }
    var toTopic: Mapping { Mapping(source: event.template, target: topic.template) }
}
