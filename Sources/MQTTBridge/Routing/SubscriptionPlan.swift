import AsyncEventBus
import Mosquitto

/// The filters to subscribe to, so that a message that matches several routes arrives once. Pure.
///
/// A broker may send a message once for each matching subscription, and mosquitto does. So overlapping filters are
/// merged into one that covers them, with the highest QoS among them; messages that match no route are ignored. If one
/// of the routes is durable, the QoS is at most 1: at QoS 2 messages would be acknowledged before they are stored.
struct SubscriptionPlan {
    /// The requests, sorted by filter; no two overlap.
    let requests: [SubscriptionRequest]
    private var index = TemplateIndex()

    /// - Parameter flagUse: Finds the routes that need the retain flag of live messages, which only MQTT 5 has.
    init(_ routes: [Route], version: ProtocolVersion, flagUse: RetainFlagUse = RetainFlagUse([])) {
        var merged: [ExactText: QoS] = [:]
        for route in routes where route.direction.includesIn {
            let filter = ExactText(route.topic.filter)
            merged[filter] = max(merged[filter] ?? .atMostOnce, route.subscriptionQoS)
        }
        // The result depends on the order. Sorted, so that the next process makes the same subscriptions: the order of
        // a dictionary differs from one process to the next.
        let wild = merged.keys.map(\.text).filter(Self.isWild).map { (filter: $0, levels: Self.levels($0)) }.sorted {
            ($0.levels.count, $0.filter) < ($1.levels.count, $1.filter)
        }
        var separate = SeparateFilters()
        for (filter, levels) in wild { separate.add(levels, merged[ExactText(filter)] ?? .atMostOnce) }
        // A filter without wildcards is left out if a wildcard filter covers it.
        var exact: [SubscriptionRequest] = []
        for (filter, qos) in merged
        where !Self.isWild(filter.text) && !separate.raise(Self.levels(filter.text), to: qos) {
            exact.append(Self.request(filter.text, qos, version))
        }
        var durable = TemplateIndex()
        for (position, route) in routes.enumerated() where route.isDurable && route.direction.includesIn {
            durable.insert(position, SeparateFilters.parts(Self.levels(route.topic.filter)))
        }
        var flagged = TemplateIndex()
        for (position, route) in routes.enumerated() where version == .v5 && flagUse.user(of: route) != nil {
            flagged.insert(position, SeparateFilters.parts(Self.levels(route.topic.filter)))
        }
        requests = (separate.filters.map { Self.request($0.levels.joined(separator: "/"), $0.qos, version) } + exact)
            .map { Self.capped($0, durable) }
            .map { Self.flagged($0, flagged) }
            .sorted { $0.filter < $1.filter }
        for (position, request) in requests.enumerated() {
            index.insert(position, SeparateFilters.parts(Self.levels(request.filter)))
        }
    }

    /// Whether one of the filters matches a topic.
    func covers(_ topic: String) -> Bool {
        place(of: topic) != nil
    }

    /// Whether live messages on a topic keep their publisher's retain flag, and retained messages are marked.
    func marksKept(on topic: String) -> Bool {
        guard let position = place(of: topic).flatMap({ index[$0].first }) else { return false }
        return requests[position].marksKept
    }

    private func place(of topic: String) -> TemplateIndex.Place? {
        index.first(overlapping: Self.levels(topic).map { .literal($0) }) { $0 }
    }

    private static func flagged(_ request: SubscriptionRequest, _ routes: TemplateIndex) -> SubscriptionRequest {
        guard routes.first(overlapping: SeparateFilters.parts(levels(request.filter)), { $0 }) != nil else {
            return request
        }
        var flagged = request
        (flagged.retainAsPublished, flagged.marksKept) = (true, true)
        return flagged
    }

    private static func capped(_ request: SubscriptionRequest, _ durable: TemplateIndex) -> SubscriptionRequest {
        guard request.qos == .exactlyOnce else { return request }
        guard durable.first(overlapping: SeparateFilters.parts(levels(request.filter)), { $0 }) != nil else {
            return request
        }
        var capped = request
        capped.qos = .atLeastOnce
        return capped
    }

    private static func request(_ filter: String, _ qos: QoS, _ version: ProtocolVersion) -> SubscriptionRequest {
        SubscriptionRequest(filter, qos: qos, noLocal: version == .v5)
    }

    private static func isWildcard(_ level: String) -> Bool { level == "+" || level == "#" }

    private static func isWild(_ filter: String) -> Bool { levels(filter).contains(where: isWildcard) }

    private static func levels(_ filter: String) -> [String] { TopicTemplate.levels(of: filter) }
}
