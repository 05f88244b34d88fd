import AsyncEventBus
import Mosquitto

extension RouteCheck {
    /// Notes on valid routes with surprising behaviour, one sentence each.
    ///
    /// - Parameters:
    ///   - routes: Routes without problems.
    ///   - brokers: The brokers that the routes name; a missing broker is assumed to use MQTT 5.
    ///   - hasStore: Whether the bridge has a store, so that routes are durable by default.
    public static func notes(on routes: [Route], brokers: [Broker] = [], hasStore: Bool) -> [String] {
        notes(on: routes.map { $0.resolved(hasStore: hasStore) }, brokers: brokers)
    }

    static func notes(on routes: [Route], brokers: [Broker]) -> [String] {
        let unnamed = routes.filter { $0.direction.includesIn && $0.mayLackName }.map { route in
            "route \"\(escapedForLog(route.name))\": some matching topics have no event, since an event name is not empty and "
                + "does not begin with $: a message whose \(escapedForLog(route.event.template.firstPartText)) is or does is "
                + "dropped and reported, or becomes a dead letter on a durable route"
        }
        let notes =
            unnamed + mirrors(routes) + unknownFlags(routes, brokers)
            + routes.filter { $0.direction.includesIn && $0.subscriptionQoS < $0.qos }.map { route in
                "route \"\(escapedForLog(route.name))\": subscribed at QoS 1, not 2: a durable message is acknowledged after "
                    + "it is stored, but libmosquitto acknowledges a QoS 2 message earlier"
            }
        guard notes.count > longestNotes else { return notes }
        return notes.prefix(longestNotes) + ["\(notes.count - longestNotes) more notes are not shown"]
    }

    /// Notes on routes that mirror the same retained state between two brokers in both directions.
    private static func mirrors(_ routes: [Route]) -> [String] {
        let both = routes.indices.filter { routes[$0].direction == .both && routes[$0].retain.mayKeep }
        var index = TemplateIndex()
        return both.compactMap { position in
            let route = routes[position]
            let other = index.first(overlapping: route.event.template.parts) { place in
                index[place].first { routes[$0].broker != route.broker }
            }
            index.insert(position, route.event.template)
            guard let other else { return nil }
            return
                "routes \"\(escapedForLog(routes[other].name))\" and \"\(escapedForLog(route.name))\" mirror retained "
                + "messages between two brokers in both directions: after a lost connection, a state that the bridge has "
                + "forwarded since wins over the state that the broker has retained; after a start, the state of the broker "
                + "that connects first wins. If one broker is authoritative, set direction: in on its route and "
                + "direction: out on the other"
        }
    }

    /// Notes on MQTT 3.1.1 routes: their live messages have no retain flag, although another route depends on it.
    private static func unknownFlags(_ routes: [Route], _ brokers: [Broker]) -> [String] {
        let old = Set(brokers.filter { $0.options.version == .v3_1_1 }.map(\.name))
        guard !old.isEmpty else { return [] }
        let use = RetainFlagUse(routes)
        return routes.filter { old.contains($0.broker) }.compactMap { route in
            guard let user = use.user(of: route) else { return nil }
            return
                "route \"\(escapedForLog(route.name))\": MQTT 3.1.1 does not forward the retain flag of a live message: "
                + "route \"\(escapedForLog(user.name))\" (retain: as-received) publishes it without the flag, and with the flag "
                + "only retained messages that are new when the bridge subscribes; set version: 5, or retain: true"
        }
    }
}

extension Route {
    /// Whether some matching topic has no valid event name: the first segment of the event is a capture of a later
    /// topic level, which may be empty or begin with `$`.
    fileprivate var mayLackName: Bool {
        guard let capture = event.template.parts.first?.captureName else { return false }
        return topic.template.parts.first?.captureName != capture
    }
}

extension Template {
    fileprivate var firstPartText: String {
        switch parts[0] {
        case .literal(let text): text
        case .capture(let name): "{\(name)}"
        case .rest(let name): "{\(name)...}"
        }
    }
}
