import AsyncEventBus
import Mosquitto
import Locking

/// Maps topics to events and events to topics by the routes. Caches the result for each topic and event name.
final class RouteTable: Sendable {
    /// The event that one route maps a topic to.
    struct Inbound: Sendable {
        let route: Route
        let event: EventName
    }

    /// The topic that one route maps an event to. A class, since it is passed along with each event.
    final class Outbound: Sendable {
        let route: Route
        /// The position of the route's broker in ``RouteTable/brokers``.
        let broker: Int
        let topic: String
        /// Why the topic cannot be published to; nil if it can.
        let problem: ClientError?
        // Copies of what each event needs of the route, which is expensive to copy.
        let isDurable: Bool
        let qos: QoS
        let retention: Retention

        init(route: Route, broker: Int, topic: String, problem: ClientError?) {
            self.route = route
            self.broker = broker
            self.topic = topic
            self.problem = problem
            isDurable = route.isDurable
            qos = route.qos
            retention = route.retain
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

    /// The maximum number of entries of each cache. A full cache is cleared.
    private static let cacheLimit = 8_192
    /// The longest cached topic or name, in bytes. Bounds the memory that a client can fill with long topics.
    private static let longestCached = 512

    let routes: [Route]
    /// The names of all brokers, sorted.
    let brokers: [String]
    /// Whether any outbound route is durable.
    let hasDurableOutbound: Bool
    /// Whether any inbound route is durable.
    let hasDurableInbound: Bool
    /// The brokers that some route publishes retained messages to.
    let brokersWithStates: Set<String>
    private let topics: [String: PatternIndex<Int>]
    private let events: PatternIndex<Int>
    private let caches = Locked(Caches())

    /// - Throws: ``RouteProblems`` with all problems of the routes.
    init(_ routes: [Route], brokers: Set<String>, hasStore: Bool = false) throws(RouteProblems) {
        let problems = RouteCheck.problems(in: routes, brokers: brokers, hasStore: hasStore)
        guard problems.isEmpty else { throw RouteProblems(problems: problems) }
        let routes = routes.map { $0.resolved(hasStore: hasStore) }
        self.routes = routes
        self.brokers = brokers.sorted()
        hasDurableInbound = routes.contains { $0.isDurable && $0.direction.includesIn }
        hasDurableOutbound = routes.contains { $0.isDurable && $0.direction.includesOut }
        brokersWithStates = Set(routes.filter { $0.retain.mayKeep && $0.direction.includesOut }.map(\.broker))
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

    /// The routes of a broker, in their order.
    func routes(of broker: String) -> [Route] { routes.filter { $0.broker == broker } }

    /// The patterns of the events that outbound routes publish.
    var outboundPatterns: Set<EventPattern> {
        Set(routes.filter(\.direction.includesOut).map(\.event.pattern))
    }

    /// The events that the routes of a broker map a topic to, in order of the routes; cached.
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

    /// The topics that the routes map an event to, in order of the routes; cached.
    func outbound(_ name: EventName) -> [Outbound] {
        caches.withLock { caches in
            if let known = caches.outbound[name] { return known }
            let found = lookUpOutbound(name)
            guard name.text.utf8.count <= Self.longestCached else { return found }
            if caches.outbound.count >= Self.cacheLimit { caches.outbound.removeAll(keepingCapacity: true) }
            caches.outbound[name] = found
            return found
        }
    }

    /// As ``inbound(_:broker:)``, but not cached.
    func lookUpInbound(_ topic: String, broker: String) -> [Inbound] {
        var unnamed: [Route] = []
        return lookUpInbound(topic, broker: broker, unnamed: &unnamed)
    }

    /// - Parameter unnamed: Receives the matching routes that map the topic to no valid event: the name would be empty,
    ///   or reserved for the bus.
    func lookUpInbound(_ topic: String, broker: String, unnamed: inout [Route]) -> [Inbound] {
        let levels = TopicTemplate.levels(of: topic)
        guard let index = topics[broker], let name = EventName(segments: levels) else { return [] }
        var positions = index.values(matching: name)
        if positions.count > 1 { positions.sort() }
        var found: [Inbound] = []
        for position in positions {
            let route = routes[position]
            guard let segments = route.toEvent(levels) else { continue }
            // Like a leading wildcard of a pattern, a capture does not make a reserved name.
            if let event = EventName(segments: segments), !event.isReserved {
                found.append(Inbound(route: route, event: event))
            } else {
                unnamed.append(route)
            }
        }
        return found
    }

    private func lookUpOutbound(_ name: EventName) -> [Outbound] {
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

    /// Checks the topic rules of MQTT. A topic that begins with `$` needs a route whose template begins with `$`.
    private static func problem(_ levels: [String], _ topic: String, _ route: Route) -> ClientError? {
        do {
            try TopicRules.check(topic: topic)
        } catch {
            return error
        }
        // A slash inside a segment would become a level separator, and the topic would map to another event.
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
