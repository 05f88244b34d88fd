import AsyncEventBus

/// Finds all that is wrong with a list of routes before any message is moved. Pure.
public struct RouteCheck {
    private let routes: [Route]
    private let brokers: Set<String>
    private var problems: [RouteProblem] = []
    private var topics = TemplateIndex()
    private var events = TemplateIndex()

    /// All that is wrong with these routes, given the names of the brokers that exist.
    ///
    /// - Parameter hasStore: Whether there is something to keep messages in.
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

    /// What is not wrong but will surprise: one sentence each.
    ///
    /// - Parameter hasStore: Whether there is something to keep messages in.
    public static func notes(on routes: [Route], hasStore: Bool) -> [String] {
        notes(on: routes.map { $0.resolved(hasStore: hasStore) })
    }

    static func notes(on routes: [Route]) -> [String] {
        routes.filter { $0.direction.includesIn && $0.subscriptionQoS < $0.qos }.map { route in
            "route \"\(route.name)\": subscribed at QoS 1, not 2: a durable message is acknowledged when it is stored, "
                + "and at QoS 2 libmosquitto acknowledges before that"
        }
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
        for (position, route) in routes.enumerated() {
            if let other = names.updateValue(position, forKey: route.name) {
                add(position, .name, "route \(other + 1) has the name \"\(route.name)\" too", "Choose another name")
            }
            if !brokers.contains(route.broker) {
                let known = brokers.sorted().joined(separator: ", ")
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
        for name in topic.captures where !event.captures.contains(name) {
            add(position, .event, "{\(name)} of the topic is missing", "Add it, so that no two topics become one event")
        }
        for name in event.captures where !topic.captures.contains(name) {
            add(position, .topic, "{\(name)} of the event is missing", "Add it, so that no two events become one topic")
        }
        let rests = [topic, event].map { $0.hasRest ? $0.captures.last : nil }
        guard rests[0] != rests[1], let rest = rests[0] ?? rests[1],
            topic.captures.contains(rest), event.captures.contains(rest)
        else { return }
        add(
            position,
            topic.hasRest ? .event : .topic,
            "{\(rest)} is one part here and the rest on the other side",
            "Write {\(rest)...} last on both sides"
        )
    }

    // MARK: Two routes

    private mutating func checkPairs() {
        for (first, second) in candidatePairs() {
            guard routes[first].broker == routes[second].broker else { continue }
            if routes[first].direction.includesIn, routes[second].direction.includesIn,
                let topic = overlap(first, second, \.topic.template, \.event.template)
            {
                add(
                    second,
                    .topic,
                    "route \(first + 1) (\"\(routes[first].name)\") makes the same event of the same topic, as of \(topic)",
                    "Narrow one of them, or let their events differ"
                )
            } else if routes[first].direction.includesOut, routes[second].direction.includesOut,
                let event = overlap(first, second, \.event.template, \.topic.template)
            {
                add(
                    second,
                    .event,
                    "route \(first + 1) (\"\(routes[first].name)\") publishes the same event to the same topic, as \(event)",
                    "Narrow one of them, or set direction: in on one"
                )
            }
        }
    }

    /// Whether something fits the sources of both routes and becomes the same with both; if so, what they have in common.
    private func overlap(
        _ first: Int,
        _ second: Int,
        _ source: KeyPath<Route, Template>,
        _ target: KeyPath<Route, Template>
    ) -> String? {
        var unifier = Unifier()
        let (left, leftCaptures) = unifier.instantiate(routes[first][keyPath: source])
        let (right, rightCaptures) = unifier.instantiate(routes[second][keyPath: source])
        guard Unifier.mayOverlap(left, right), unifier.unify(left, right) else { return nil }
        let leftTarget = unifier.instantiate(routes[first][keyPath: target], captures: leftCaptures)
        let rightTarget = unifier.instantiate(routes[second][keyPath: target], captures: rightCaptures)
        return unifier.unify(leftTarget, rightTarget) ? "\"\(routes[second][keyPath: source].text)\"" : nil
    }

    /// Pairs of routes whose topics or events overlap as far as their literal parts tell.
    private func candidatePairs() -> [(Int, Int)] {
        var topics = TemplateIndex()
        var events = TemplateIndex()
        var pairs: [(Int, Int)] = []
        for (position, route) in routes.enumerated() {
            let inbound = topics.values(overlapping: route.topic.template)
            let others = Set(inbound).union(events.values(overlapping: route.event.template))
            pairs += others.sorted().map { ($0, position) }
            topics.insert(position, route.topic.template)
            events.insert(position, route.event.template)
        }
        return pairs
    }

    // MARK: Cycles

    /// One way through a route.
    private struct Half: Hashable {
        let route: Int
        let isInbound: Bool
    }

    /// A message that comes in by one route, goes out by another to a second broker, comes in there by a third … and
    /// is back where it began under another name would go round until the hop limit stops it.
    private mutating func checkCycles() {
        guard Set(routes.map(\.broker)).count > 1 else { return }
        for (position, route) in routes.enumerated() {
            topics.insert(position, route.topic.template)
            events.insert(position, route.event.template)
        }
        var state: [Half: Bool] = [:]
        var path: [Half] = []
        for (position, route) in routes.enumerated() where route.direction.includesIn {
            if let cycle = findCycle(from: Half(route: position, isInbound: true), &state, &path) {
                let names = cycle.map { "\"\(routes[$0.route].name)\"" }.joined(separator: " → ")
                add(
                    cycle.last?.route ?? position,
                    .direction,
                    "the routes \(names) lead back to where they began under another name",
                    "Set direction: in or out on one of them, or let templates not overlap"
                )
                return
            }
        }
    }

    private func findCycle(from half: Half, _ state: inout [Half: Bool], _ path: inout [Half]) -> [Half]? {
        if state[half] == true { return nil }
        if let start = path.firstIndex(of: half) { return Array(path[start...]) + [half] }
        path.append(half)
        defer { path.removeLast() }
        for next in followers(of: half) {
            if let cycle = findCycle(from: next, &state, &path) { return cycle }
        }
        state[half] = true
        return nil
    }

    private func followers(of half: Half) -> [Half] {
        let route = routes[half.route]
        let candidates =
            half.isInbound
            ? events.values(overlapping: route.event.template) : topics.values(overlapping: route.topic.template)
        return candidates.sorted().compactMap { position in
            let next = routes[position]
            if half.isInbound {
                // An event is not sent back to the broker that it came from.
                guard next.direction.includesOut, next.broker != route.broker else { return nil }
                guard overlaps(route.event.template, next.event.template) else { return nil }
                return Half(route: position, isInbound: false)
            }
            guard next.direction.includesIn, next.broker == route.broker else { return nil }
            guard overlaps(route.topic.template, next.topic.template), !undoes(next, route) else { return nil }
            return Half(route: position, isInbound: true)
        }
    }

    private func overlaps(_ left: Template, _ right: Template) -> Bool {
        var unifier = Unifier()
        let (left, right) = (unifier.instantiate(left).list, unifier.instantiate(right).list)
        return Unifier.mayOverlap(left, right) && unifier.unify(left, right)
    }

    /// Whether what `outbound` published comes back through `inbound` under the name that it had: then its identity
    /// or the echo window stops it.
    private func undoes(_ inbound: Route, _ outbound: Route) -> Bool {
        var unifier = Unifier()
        let (out, outCaptures) = unifier.instantiate(outbound.topic.template)
        let (back, backCaptures) = unifier.instantiate(inbound.topic.template)
        guard unifier.unify(out, back) else { return true }
        return unifier.areIdentical(
            unifier.instantiate(outbound.event.template, captures: outCaptures),
            unifier.instantiate(inbound.event.template, captures: backCaptures)
        )
    }
}

extension Unifier {
    /// Wildcards at the beginning do not stand for what begins with `$`.
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
