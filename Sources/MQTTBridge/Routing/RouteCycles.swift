/// Finds routes that return a message to its first broker under another name. Pure.
///
/// A message comes in by one route, goes out by another to a second broker, comes in there by a third, and so on. A
/// depth-first search visits each direction of a route once: a visited half leaves the index.
struct RouteCycles {
    /// One direction of a route.
    private struct Half: Hashable {
        let route: Int
        let isInbound: Bool
    }

    private let routes: [Route]
    private let brokers: [String]
    /// Inbound routes by topic and outbound routes by event, for each broker.
    private var topics: [String: TemplateIndex] = [:]
    private var events: [String: TemplateIndex] = [:]
    private var path: [Half] = []
    /// The position of each half in ``path``.
    private var places: [Half: Int] = [:]
    private var visited: Set<Half> = []

    init(_ routes: [Route]) {
        self.routes = routes
        brokers = Set(routes.map(\.broker)).sorted()
        for (position, route) in routes.enumerated() {
            if route.direction.includesIn {
                topics[route.broker, default: TemplateIndex()].insert(position, route.topic.template)
            }
            if route.direction.includesOut {
                events[route.broker, default: TemplateIndex()].insert(position, route.event.template)
            }
        }
    }

    /// The routes of a cycle in order, the first one repeated at the end; nil if there is no cycle.
    mutating func first() -> [Int]? {
        guard brokers.count > 1 else { return nil }
        for (position, route) in routes.enumerated() where route.direction.includesIn {
            let start = Half(route: position, isInbound: true)
            guard !visited.contains(start) else { continue }
            push(start)
            while let half = path.last {
                guard let next = successor(of: half) else {
                    pop()
                    continue
                }
                if let place = places[next] { return path[place...].map(\.route) + [next.route] }
                push(next)
            }
        }
        return nil
    }

    private mutating func push(_ half: Half) {
        places[half] = path.count
        path.append(half)
    }

    private mutating func pop() {
        guard let half = path.popLast() else { return }
        places[half] = nil
        visited.insert(half)
        let broker = routes[half.route].broker
        if half.isInbound { topics[broker]?.remove(half.route) } else { events[broker]?.remove(half.route) }
    }

    /// An unvisited half that a message may go to next.
    private func successor(of half: Half) -> Half? {
        let route = routes[half.route]
        guard half.isInbound else {
            return topics[route.broker]?.first(overlapping: route.topic.template.parts) {
                [index = topics[route.broker]] in
                index?[$0].first {
                    overlaps(route.topic.template, routes[$0].topic.template) && !inverts($0, half.route)
                }
            }.map { Half(route: $0, isInbound: true) }
        }
        // An event is not sent back to the broker that it came from.
        for broker in brokers where broker != route.broker {
            guard let index = events[broker], !index.isEmpty else { continue }
            let found = index.first(overlapping: route.event.template.parts) { place in
                index[place].first { overlaps(route.event.template, routes[$0].event.template) }
            }
            if let found { return Half(route: found, isInbound: false) }
        }
        return nil
    }

    private func overlaps(_ left: Template, _ right: Template) -> Bool {
        var unifier = Unifier()
        let (left, right) = (unifier.instantiate(left).list, unifier.instantiate(right).list)
        return Unifier.mayOverlap(left, right) && unifier.unify(left, right)
    }

    /// Whether an event published by `outbound` comes back through `inbound` under its own name: then its identity or
    /// the echo window stops it.
    private func inverts(_ inbound: Int, _ outbound: Int) -> Bool {
        let (inbound, outbound) = (routes[inbound], routes[outbound])
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
