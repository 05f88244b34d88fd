import AsyncEventBus
import Mosquitto

/// Finds the problems of a list of routes before any message is forwarded. Pure.
public struct RouteCheck {
    private let routes: [Route]
    private let brokers: Set<String>
    private var problems: [RouteProblem] = []

    /// Limits of what one text lists: notes, brokers, and routes of a cycle. The rest is only counted or left out.
    static let (longestNotes, longestList, longestCycle) = (100, 10, 12)

    /// The problems of these routes, in order of the routes; empty if there are none.
    ///
    /// - Parameters:
    ///   - routes: The routes to check.
    ///   - brokers: The names of the brokers that exist.
    ///   - hasStore: Whether the bridge has a store, so that routes may be durable.
    public static func problems(
        in routes: [Route],
        brokers: Set<String>,
        hasStore: Bool = false
    ) -> [RouteProblem] {
        var check = RouteCheck(routes: routes, brokers: brokers)
        check.checkEach()
        if !hasStore { check.checkDurability() }
        check.checkPairs()
        if check.problems.isEmpty { check.checkCycles() }
        return check.problems.sorted { $0.route < $1.route }
    }

    private init(routes: [Route], brokers: Set<String>) {
        self.routes = routes
        self.brokers = brokers
    }

    private mutating func add(_ route: Int, _ field: RouteProblem.Field, _ message: String, _ advice: String) {
        problems.append(RouteProblem(route: route, field: field, message: message, advice: advice))
    }

    private mutating func checkDurability() {
        for (position, route) in routes.enumerated() where route.durability == .disk {
            add(
                position,
                .durability,
                "there is no store for \"disk\"",
                "Add store: {} to the configuration, or --store PATH to the command"
            )
        }
    }

    private mutating func checkEach() {
        var names: [String: Int] = [:]
        var known = brokers.sorted().prefix(Self.longestList).joined(separator: ", ")
        if brokers.count > Self.longestList { known += ", and \(brokers.count - Self.longestList) more" }
        for (position, route) in routes.enumerated() {
            if let other = names.updateValue(position, forKey: route.name) {
                add(position, .name, "route \(other + 1) has the name \"\(route.name)\" too", "Choose another name")
            }
            if !brokers.contains(route.broker) {
                add(position, .broker, "there is no broker \"\(route.broker)\"", "The brokers are: \(known)")
            }
            checkCaptures(position, route)
            if route.direction.includesIn, route.event.template.isReserved {
                add(position, .event, "names that begin with $ are the bus's own", "Choose another first segment")
            }
            if route.direction.includesIn, case .literal("$share") = route.topic.template.parts[0] {
                add(
                    position,
                    .topic,
                    "$share/GROUP/ begins a shared subscription, not a topic",
                    "Leave it out; a bridge shares no subscription"
                )
            }
        }
    }

    private mutating func checkCaptures(_ position: Int, _ route: Route) {
        let (topic, event) = (route.topic.template, route.event.template)
        let (topicCaptures, eventCaptures) = (Set(topic.captures), Set(event.captures))
        for name in topic.captures where !eventCaptures.contains(name) {
            add(position, .event, "{\(name)} of the topic is missing", "Add it, so that no two topics become one event")
        }
        for name in event.captures where !topicCaptures.contains(name) {
            add(position, .topic, "{\(name)} of the event is missing", "Add it, so that no two events become one topic")
        }
        let rests = [topic, event].map { $0.hasRest ? $0.captures.last : nil }
        guard rests[0] != rests[1], let rest = rests[0] ?? rests[1],
            topicCaptures.contains(rest), eventCaptures.contains(rest)
        else { return }
        add(
            position,
            topic.hasRest ? .event : .topic,
            "{\(rest)} is one part here and the rest on the other side",
            "Write {\(rest)...} last on both sides"
        )
    }

    // MARK: Two routes

    /// Reports each route once, with the first route that it conflicts with. Beyond ``longestNotes`` problems any
    /// conflicting route will do, which is faster to find.
    private mutating func checkPairs() {
        var (inbound, outbound): ([String: RouteOverlaps], [String: RouteOverlaps]) = ([:], [:])
        for (second, route) in routes.enumerated() {
            let (topic, event) = (route.topic.template, route.event.template)
            var isReported = false
            let isAnyEnough = problems.count > Self.longestNotes
            if route.direction.includesIn {
                let other = inbound[route.broker]?.first(topic, event, isAnyEnough: isAnyEnough) { first in
                    overlap(first, second, \.topic.template, \.event.template)
                }
                if let other {
                    isReported = true
                    add(
                        second,
                        .topic,
                        "route \(other + 1) (\"\(routes[other].name)\") makes the same event of the same topic, "
                            + "as of \"\(topic.text)\"",
                        "Narrow one of them, or let their events differ"
                    )
                }
                inbound[route.broker, default: RouteOverlaps()].insert(second, topic, event)
            }
            if route.direction.includesOut {
                let other =
                    isReported
                    ? nil
                    : outbound[route.broker]?.first(event, topic, isAnyEnough: isAnyEnough) { first in
                        overlap(first, second, \.event.template, \.topic.template)
                    }
                if let other {
                    add(
                        second,
                        .event,
                        "route \(other + 1) (\"\(routes[other].name)\") publishes the same event to the same topic, "
                            + "as \"\(event.text)\"",
                        "Narrow one of them, or set direction: in on one"
                    )
                }
                outbound[route.broker, default: RouteOverlaps()].insert(second, event, topic)
            }
        }
    }

    private func overlap(
        _ first: Int,
        _ second: Int,
        _ source: KeyPath<Route, Template>,
        _ target: KeyPath<Route, Template>
    ) -> Bool {
        Self.overlap(routes[first], routes[second], source, target)
    }

    /// Whether some topic or event matches the sources of both routes and maps to the same target by both.
    static func overlap(
        _ first: Route,
        _ second: Route,
        _ source: KeyPath<Route, Template>,
        _ target: KeyPath<Route, Template>
    ) -> Bool {
        var unifier = Unifier()
        let (left, leftCaptures) = unifier.instantiate(first[keyPath: source])
        let (right, rightCaptures) = unifier.instantiate(second[keyPath: source])
        guard Unifier.mayOverlap(left, right), unifier.unify(left, right) else { return false }
        let leftTarget = unifier.instantiate(first[keyPath: target], captures: leftCaptures)
        let rightTarget = unifier.instantiate(second[keyPath: target], captures: rightCaptures)
        return unifier.unify(leftTarget, rightTarget)
    }

    // MARK: Cycles

    /// A message that returns to its broker under another name would circulate until the hop limit stops it.
    private mutating func checkCycles() {
        var cycles = RouteCycles(routes)
        guard let cycle = cycles.first(), let last = cycle.last else { return }
        var names = cycle.map { "\"\(routes[$0].name)\"" }
        if names.count > Self.longestCycle {
            names.replaceSubrange(Self.longestCycle - 2..<names.count - 1, with: ["…"])
        }
        add(
            last,
            .direction,
            "the routes \(names.joined(separator: " → ")) lead back to where they began under another name",
            "Set direction: in or out on one of them, or let templates not overlap"
        )
    }
}

extension Unifier {
    /// Leading wildcards do not match names that begin with `$` (MQTT 5, section 4.7.2).
    static func mayOverlap(_ left: PartList, _ right: PartList) -> Bool {
        func beginning(_ list: PartList) -> (isText: Bool, isReserved: Bool) {
            guard case .text(let text)? = list.terms.first else { return (false, false) }
            return (true, text.text.utf8.first == UInt8(ascii: "$"))
        }
        let (left, right) = (beginning(left), beginning(right))
        if left.isReserved, !right.isText { return false }
        return !(right.isReserved && !left.isText)
    }
}
