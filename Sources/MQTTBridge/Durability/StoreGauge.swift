import MessageStore

/// Counts the messages in a store, and applies limits and policies to new ones. Pure.
struct StoreGauge: Sendable {
    typealias Direction = DeadLetter.Direction

    /// What to do with one more message.
    enum Verdict: Hashable {
        case accept
        /// Accept it, and evict the excess at the commit: see ``StoreGauge/evictions(_:)``.
        case evict(EvictionScope)
        /// Discard it.
        case drop
        /// Make the sender wait.
        case wait
        /// Refuse it with an error.
        case reject
    }

    /// The messages of which the oldest are evicted: those of one route, or all of one direction.
    struct EvictionScope: Hashable {
        let direction: Direction
        let route: String?
    }

    private struct Key: Hashable {
        let direction: Direction
        let route: String
    }

    private struct Load {
        var messages = 0
        var bytes = 0

        mutating func change(_ messages: Int, _ bytes: Int) {
            self.messages += messages
            self.bytes += bytes
        }

        /// Whether there is room for this much more.
        func leaves(_ limits: StoreLimits, _ messages: Int, _ bytes: Int) -> Bool {
            self.messages + messages <= limits.messages && self.bytes + bytes <= limits.bytes
        }

        func exceeds(_ limits: StoreLimits, by size: Int) -> Bool {
            messages >= limits.messages || (bytes + size > limits.bytes && messages > 0)
        }

        func fills(_ limits: StoreLimits) -> Bool { messages >= limits.messages || bytes >= limits.bytes }

        /// Whether a quarter is free.
        func leavesRoom(_ limits: StoreLimits) -> Bool {
            messages <= limits.messages * 3 / 4 && bytes <= limits.bytes / 4 * 3
        }
    }

    private let limits: StoreLimits
    private let policy: StorePolicy
    private var routes: [String: (limits: StoreLimits?, policy: StorePolicy)] = [:]
    private var loads: [Key: Load] = [:]
    private var totals: [Direction: Load] = [:]

    init(_ options: StoreOptions, routes: [Route]) {
        limits = options.limits
        policy = options.policy
        use(routes)
    }

    /// Replaces the limits and policies of the routes; the counts stay.
    mutating func use(_ routes: [Route]) {
        self.routes = Dictionary(
            routes.map { ($0.name, ($0.limits, $0.policy ?? policy)) },
            uniquingKeysWith: { first, _ in first }
        )
    }

    /// The number of stored messages of a direction.
    func messages(_ direction: Direction) -> Int { totals[direction]?.messages ?? 0 }

    mutating func add(_ direction: Direction, route: String, messages: Int = 1, bytes: Int) {
        loads[Key(direction: direction, route: route), default: Load()].change(messages, bytes)
        totals[direction, default: Load()].change(messages, bytes)
    }

    /// Whether there is room for this much more.
    func holds(_ direction: Direction, route: String, messages: Int, bytes: Int) -> Bool {
        let load = loads[Key(direction: direction, route: route)] ?? Load()
        if let limits = routes[route]?.limits, !load.leaves(limits, messages, bytes) { return false }
        return (totals[direction] ?? Load()).leaves(limits, messages, bytes)
    }

    mutating func remove(_ direction: Direction, route: String, bytes: Int) {
        add(direction, route: route, messages: -1, bytes: -bytes)
    }

    /// What to do with a message that is not counted yet.
    func verdict(_ direction: Direction, route: String, size: Int) -> Verdict {
        let own = routes[route]
        let load = loads[Key(direction: direction, route: route)] ?? Load()
        if let limits = own?.limits, load.exceeds(limits, by: size) {
            return verdict(own?.policy ?? policy, EvictionScope(direction: direction, route: route))
        }
        let total = totals[direction] ?? Load()
        guard total.exceeds(limits, by: size) else { return .accept }
        return verdict(own?.policy ?? policy, EvictionScope(direction: direction, route: nil))
    }

    private func verdict(_ policy: StorePolicy, _ scope: EvictionScope) -> Verdict {
        switch policy {
        case .block: .wait
        case .reject: .reject
        case .dropNewest: .drop
        case .dropOldest: .evict(scope)
        }
    }

    /// The evictions that bring these scopes within their limits. Evictions from a route count for its direction as
    /// well.
    func evictions(_ evictionScopes: Set<EvictionScope>) -> [StoreEviction] {
        var relief: [Direction: Load] = [:]
        return evictionScopes.sorted { ($0.route ?? "\u{10FFFF}") < ($1.route ?? "\u{10FFFF}") }.compactMap { scope in
            let own = scope.route.map { Key(direction: scope.direction, route: $0) }
            let limits = scope.route.flatMap { routes[$0]?.limits } ?? limits
            let load = (own.map { loads[$0] } ?? totals[scope.direction]) ?? Load()
            let gone = scope.route == nil ? relief[scope.direction] ?? Load() : Load()
            let messages = max(0, load.messages - gone.messages - limits.messages)
            let bytes = max(0, load.bytes - gone.bytes - limits.bytes)
            guard messages > 0 || bytes > 0 else { return nil }
            relief[scope.direction, default: Load()].messages += messages
            relief[scope.direction, default: Load()].bytes += bytes
            return .oldest(scope.direction, route: scope.route, messages: messages, bytes: bytes)
        }
    }

    /// Whether the policy of a route makes messages wait if there is no room.
    private func waits(_ route: String) -> Bool { [.block, .reject].contains(routes[route]?.policy ?? policy) }

    /// Whether messages of a route must wait, because the route or the direction is full.
    func isFull(_ direction: Direction, route: String) -> Bool {
        guard waits(route) else { return false }
        if let limits = routes[route]?.limits,
            loads[Key(direction: direction, route: route)]?.fills(limits) == true
        {
            return true
        }
        return totals[direction]?.fills(limits) ?? false
    }

    /// Whether waiting senders may continue: a quarter must be free, so that they do not stop again after one message.
    ///
    /// - Parameter size: The size of the message that must fit, if known.
    func hasRoom(_ direction: Direction, route: String, size: Int = 0) -> Bool {
        guard waits(route) else { return true }
        if verdict(direction, route: route, size: size) != .accept { return false }
        if let limits = routes[route]?.limits,
            loads[Key(direction: direction, route: route)]?.leavesRoom(limits) == false
        {
            return false
        }
        return totals[direction]?.leavesRoom(limits) ?? true
    }
}
