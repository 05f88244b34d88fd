import AsyncEventBus
import Mosquitto
import Locking

/// Where messages and events go, by the routes. Looked up once a topic or name, then kept.
final class RouteTable: Sendable {
    /// What one route makes of a topic.
    struct Inbound: Sendable {
        let route: Route
        let event: EventName
    }

    /// What one route makes of an event. An object: each event is handed one.
    final class Outbound: Sendable {
        let route: Route
        /// The position of the route's broker in ``RouteTable/brokers``.
        let broker: Int
        let topic: String
        /// Why nothing can be published there; nil if it can.
        let problem: ClientError?
        /// What each event needs to know of the route, which is large to copy.
        let isDurable: Bool
        let qos: QoS
        let isRetained: Bool

        init(route: Route, broker: Int, topic: String, problem: ClientError?) {
            self.route = route
            self.broker = broker
            self.topic = topic
            self.problem = problem
            isDurable = route.isDurable
            qos = route.qos
            isRetained = route.retain
        }
    }

    private struct BrokerTopic: Hashable {
        let broker: String
        let topic: ExactText
    }

    private struct Caches {
        var inbound: [BrokerTopic: [Inbound]] = [:]
        var outbound: [EventName: [Outbound]] = [:]
    }

    /// Topics and names that are kept. When there are more, all are forgotten and looked up again.
    private static let cacheLimit = 8_192
    /// Longer ones are looked up each time: who sends many must not fill the memory. In bytes.
    private static let longestCached = 512

    let routes: [Route]
    /// The names of all brokers, sorted.
    let brokers: [String]
    /// Whether some route that publishes is durable.
    let hasDurableOutbound: Bool
    private let topics: [String: PatternIndex<Int>]
    private let events: PatternIndex<Int>
    private let caches = Locked(Caches())

    /// - Throws: All that is wrong with the routes.
    init(_ routes: [Route], brokers: Set<String>, hasStore: Bool = false) throws(RouteProblems) {
        let problems = RouteCheck.problems(in: routes, brokers: brokers, hasStore: hasStore)
        guard problems.isEmpty else { throw RouteProblems(problems: problems) }
        let routes = routes.map { $0.resolved(hasStore: hasStore) }
        self.routes = routes
        self.brokers = brokers.sorted()
        hasDurableOutbound = routes.contains { $0.isDurable && $0.direction.includesOut }
        var topics: [String: PatternIndex<Int>] = [:]
        var events = PatternIndex<Int>()
        for (position, route) in routes.enumerated() {
            if route.direction.includesIn {
                _ = topics[route.broker, default: PatternIndex()].insert(position, for: route.topic.pattern)
            }
            if route.direction.includesOut { _ = events.insert(position, for: route.event.pattern) }
        }
        self.topics = topics
        self.events = events
    }

    /// The patterns of all events that some route publishes.
    var outboundPatterns: Set<EventPattern> {
        Set(routes.filter(\.direction.includesOut).map(\.event.pattern))
    }

    /// What the routes of a broker make of a topic, in order of the routes; kept for the next time.
    func inbound(_ topic: String, broker: String) -> [Inbound] {
        let key = BrokerTopic(broker: broker, topic: ExactText(topic))
        return caches.withLock { caches in
            if let known = caches.inbound[key] { return known }
            let found = lookUpInbound(topic, broker: broker)
            guard topic.utf8.count <= Self.longestCached else { return found }
            if caches.inbound.count >= Self.cacheLimit { caches.inbound.removeAll(keepingCapacity: true) }
            caches.inbound[key] = found
            return found
        }
    }

    /// What the routes make of an event, in order of the routes.
    func outbound(_ name: EventName) -> [Outbound] {
        caches.withLock { caches in
            if let known = caches.outbound[name] { return known }
            let found = findOutbound(name)
            guard name.text.utf8.count <= Self.longestCached else { return found }
            if caches.outbound.count >= Self.cacheLimit { caches.outbound.removeAll(keepingCapacity: true) }
            caches.outbound[name] = found
            return found
        }
    }

    /// As ``inbound(_:broker:)``, for who keeps it.
    func lookUpInbound(_ topic: String, broker: String) -> [Inbound] {
        let levels = TopicTemplate.levels(of: topic)
        guard let index = topics[broker], let name = EventName(segments: levels) else { return [] }
        var positions = index.values(matching: name)
        if positions.count > 1 { positions.sort() }
        return positions.compactMap { position in
            let route = routes[position]
            guard let segments = route.toEvent(levels), let event = EventName(segments: segments) else { return nil }
            // As a pattern that begins with a wildcard: what a capture took makes no name of the bus's own.
            return event.isReserved ? nil : Inbound(route: route, event: event)
        }
    }

    private func findOutbound(_ name: EventName) -> [Outbound] {
        let segments = name.segments
        return events.values(matching: name).sorted().compactMap { position in
            let route = routes[position]
            guard let levels = route.toTopic(segments), let broker = brokers.firstIndex(of: route.broker) else {
                return nil
            }
            let topic = levels.joined(separator: "/")
            let problem = Self.problem(levels, topic, route)
            return Outbound(route: route, broker: broker, topic: topic, problem: problem)
        }
    }

    /// What MQTT does not allow, and what only a route that says so may do.
    private static func problem(_ levels: [String], _ topic: String, _ route: Route) -> ClientError? {
        do {
            try TopicRules.check(topic: topic)
        } catch {
            return error
        }
        // A slash inside a segment would make two levels of it, and the topic would not lead back to the event.
        guard !levels.contains(where: { $0.utf8.contains(UInt8(ascii: "/")) }) else {
            return ClientError(
                .invalidTopic,
                operation: "publish to \"\(escapedForLog(topic, limit: 80))\"",
                detail: "a segment of the event holds a slash"
            )
        }
        guard topic.utf8.first != UInt8(ascii: "$") || route.topic.isReserved else {
            return ClientError(
                .invalidTopic,
                operation: "publish to \"\(escapedForLog(topic, limit: 80))\"",
                detail: "topics that begin with $ are the broker's own",
                advice: "Name it in a route, as in topic: $share/…"
            )
        }
        return nil
    }
}
