import AsyncEventBus

/// Whether a route publishes retained messages, which the broker keeps as the state of the topic.
public enum Retention: Sendable, Hashable, ExpressibleByBooleanLiteral {
    /// No message is retained.
    case never
    /// Every message is retained.
    case always
    /// A message is retained if its event came from another broker as a retained message. An event emitted on this bus
    /// is not retained. An empty payload received with the retain flag deletes the state.
    ///
    /// In MQTT 5 the bridge subscribes with Retain As Published if it needs the flag (MQTT 5, section 3.8.3.1). An MQTT
    /// 3.1.1 broker clears the flag of live messages (MQTT 3.1.1, section 3.3.1.3), and an MQTT 5 broker without
    /// subscription identifiers is treated likewise: then only retained state that is new when the bridge subscribes is
    /// published as retained. See docs/decisions/0033-kept-messages-are-marked-by-their-subscription.md.
    case asReceived

    /// `true` is ``always``, `false` is ``never``.
    public init(booleanLiteral value: Bool) { self = value ? .always : .never }
}

extension Retention {
    /// Whether some messages may be retained.
    var mayKeep: Bool { self != .never }

    func keeps(_ event: Event) -> Bool {
        switch self {
        case .never: false
        case .always: true
        case .asReceived: event.mqtt?.isRetained ?? false
        }
    }
}

/// Finds the inbound routes whose events a route with ``Retention/asReceived`` publishes to another broker. Pure.
struct RetainFlagUse {
    private let routes: [Route]
    private var index = TemplateIndex()

    init(_ routes: [Route]) {
        self.routes = routes
        for (position, route) in routes.enumerated() where route.direction.includesOut && route.retain == .asReceived {
            index.insert(position, route.event.template)
        }
    }

    /// The first route with ``Retention/asReceived`` that publishes events of this route to another broker.
    func user(of route: Route) -> Route? {
        guard route.direction.includesIn else { return nil }
        return index.first(overlapping: route.event.template.parts) { place in
            index[place].first { routes[$0].broker != route.broker }.map { routes[$0] }
        }
    }
}
