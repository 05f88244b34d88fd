import AsyncEventBus
import Mosquitto

/// Which filters to subscribe to, so that each message comes once although several routes want it. Pure.
///
/// A broker may send a message once for each of several subscriptions that match, and mosquitto does. So subscriptions
/// that overlap are replaced by one that covers them, with the highest QoS among them; the routes sort out what comes.
/// Where one of them is durable that is 1 at most: at QoS 2 its messages would be acknowledged before they are stored.
struct SubscriptionPlan {
    /// The requests, none of which overlaps another.
    let requests: [SubscriptionRequest]

    init(_ routes: [Route], version: ProtocolVersion) {
        var merged: [ExactText: QoS] = [:]
        for route in routes where route.direction.includesIn {
            let filter = ExactText(route.topic.filter)
            merged[filter] = max(merged[filter] ?? .atMostOnce, route.subscriptionQoS)
        }
        var wild = merged.filter { Self.isWild($0.key.text) }.map { (levels: Self.levels($0.key.text), qos: $0.value) }
        wild.sort { $0.levels.count < $1.levels.count }
        var separate: [(levels: [String], qos: QoS)] = []
        for entry in wild { Self.add(entry, to: &separate) }
        // What has no wildcards is left out where a wildcard covers it.
        var index = PatternIndex<Int>()
        for (position, entry) in separate.enumerated() { _ = index.insert(position, for: Self.pattern(entry.levels)) }
        var exact: [SubscriptionRequest] = []
        for (filter, qos) in merged where !Self.isWild(filter.text) {
            let covering = TopicTemplate.name(ofTopic: filter.text).map(index.values(matching:)) ?? []
            if let position = covering.first {
                separate[position].qos = max(separate[position].qos, qos)
            } else {
                exact.append(Self.request(filter.text, qos, version))
            }
        }
        let durable = routes.filter { $0.isDurable && $0.direction.includesIn }.map { Self.levels($0.topic.filter) }
        requests = (separate.map { Self.request($0.levels.joined(separator: "/"), $0.qos, version) } + exact)
            .map { Self.capped($0, durable) }
            .sorted { $0.filter < $1.filter }
    }

    private static func capped(_ request: SubscriptionRequest, _ durable: [[String]]) -> SubscriptionRequest {
        guard request.qos == .exactlyOnce else { return request }
        let levels = levels(request.filter)
        guard durable.contains(where: { overlaps($0, levels) }) else { return request }
        var capped = request
        capped.qos = .atLeastOnce
        return capped
    }

    private static func request(_ filter: String, _ qos: QoS, _ version: ProtocolVersion) -> SubscriptionRequest {
        SubscriptionRequest(filter, qos: qos, noLocal: version == .v5)
    }

    /// Adds a filter, or the filter that covers it and all that it overlaps.
    private static func add(_ entry: (levels: [String], qos: QoS), to separate: inout [(levels: [String], qos: QoS)]) {
        var entry = entry
        while let position = separate.firstIndex(where: { overlaps($0.levels, entry.levels) }) {
            let other = separate.remove(at: position)
            entry = (cover(other.levels, entry.levels), max(other.qos, entry.qos))
        }
        separate.append(entry)
    }

    static func overlaps(_ left: [String], _ right: [String]) -> Bool {
        if let (first, second) = zip(left, right).first(where: { _ in true }),
            isWildcard(first) != isWildcard(second),
            [first, second].contains(where: { $0.utf8.first == UInt8(ascii: "$") })
        {
            return false
        }
        for position in 0..<min(left.count, right.count) {
            if left[position] == "#" || right[position] == "#" { return true }
            guard isWildcard(left[position]) || isWildcard(right[position]) || same(left[position], right[position])
            else { return false }
        }
        // `a/#` stands for `a` as well.
        if left.count == right.count { return true }
        let longer = left.count > right.count ? left : right
        return longer.count == min(left.count, right.count) + 1 && longer.last == "#"
    }

    /// The narrowest filter that stands for all that either stands for.
    static func cover(_ left: [String], _ right: [String]) -> [String] {
        var result: [String] = []
        for position in 0..<max(left.count, right.count) {
            guard position < left.count, position < right.count, left[position] != "#", right[position] != "#" else {
                return result + ["#"]
            }
            result.append(same(left[position], right[position]) ? left[position] : "+")
        }
        return result
    }

    private static func same(_ left: String, _ right: String) -> Bool { ExactText(left) == ExactText(right) }

    private static func isWildcard(_ level: String) -> Bool { level == "+" || level == "#" }

    private static func isWild(_ filter: String) -> Bool { levels(filter).contains(where: isWildcard) }

    private static func levels(_ filter: String) -> [String] { TopicTemplate.levels(of: filter) }

    private static func pattern(_ levels: [String]) -> EventPattern {
        EventPattern(
            stringLiteral: levels.map { $0 == "+" ? "*" : $0 == "#" ? "**" : Escaping.escaped($0) }
                .joined(separator: ".")
        )
    }
}
