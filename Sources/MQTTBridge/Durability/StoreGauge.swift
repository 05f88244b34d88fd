import MessageStore

/// How full a store is, and what that means for the next message. Pure.
struct StoreGauge: Sendable {
    typealias Direction = DeadLetter.Direction

    /// What to do with one more message.
    enum Verdict: Hashable {
        case accept
        /// Accept it, and remove what is then too much: see ``StoreGauge/evictions(_:)``.
        case evict(Crowd)
        /// Do not keep it.
        case drop
        /// Make whoever brings it wait.
        case wait
        /// Refuse it.
        case reject
    }

    /// Messages among which the oldest make room: those of a route, or all of a direction.
    struct Crowd: Hashable {
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

        /// Whether limits leave room for so much more.
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
    private let routes: [String: (limits: StoreLimits?, policy: StorePolicy)]
    private var loads: [Key: Load] = [:]
    private var totals: [Direction: Load] = [:]

    init(_ options: StoreOptions, routes: [Route]) {
        limits = options.limits
        policy = options.policy
        self.routes = Dictionary(
            routes.map { ($0.name, ($0.limits, $0.policy ?? options.policy)) },
            uniquingKeysWith: { first, _ in first }
        )
    }

    /// How many messages of a direction there are.
    func messages(_ direction: Direction) -> Int { totals[direction]?.messages ?? 0 }

    mutating func add(_ direction: Direction, route: String, messages: Int = 1, bytes: Int) {
        loads[Key(direction: direction, route: route), default: Load()].change(messages, bytes)
        totals[direction, default: Load()].change(messages, bytes)
    }

    /// Whether there is room for so much more.
    func holds(_ direction: Direction, route: String, messages: Int, bytes: Int) -> Bool {
        let load = loads[Key(direction: direction, route: route)] ?? Load()
        if let limits = routes[route]?.limits, !load.leaves(limits, messages, bytes) { return false }
        return (totals[direction] ?? Load()).leaves(limits, messages, bytes)
    }

    mutating func remove(_ direction: Direction, route: String, bytes: Int) {
        add(direction, route: route, messages: -1, bytes: -bytes)
    }

    /// What is to become of a message that is not counted yet.
    func verdict(_ direction: Direction, route: String, size: Int) -> Verdict {
        let own = routes[route]
        let load = loads[Key(direction: direction, route: route)] ?? Load()
        if let limits = own?.limits, load.exceeds(limits, by: size) {
            return verdict(own?.policy ?? policy, Crowd(direction: direction, route: route))
        }
        let total = totals[direction] ?? Load()
        guard total.exceeds(limits, by: size) else { return .accept }
        return verdict(own?.policy ?? policy, Crowd(direction: direction, route: nil))
    }

    private func verdict(_ policy: StorePolicy, _ crowd: Crowd) -> Verdict {
        switch policy {
        case .block: .wait
        case .reject: .reject
        case .dropNewest: .drop
        case .dropOldest: .evict(crowd)
        }
    }

    /// What must leave so that these are within their limits, with all that is counted now: what leaves a route need not
    /// leave the whole.
    func evictions(_ crowds: Set<Crowd>) -> [StoreEviction] {
        var relief: [Direction: Load] = [:]
        return crowds.sorted { ($0.route ?? "\u{10FFFF}") < ($1.route ?? "\u{10FFFF}") }.compactMap { crowd in
            let own = crowd.route.map { Key(direction: crowd.direction, route: $0) }
            let limits = crowd.route.flatMap { routes[$0]?.limits } ?? limits
            let load = (own.map { loads[$0] } ?? totals[crowd.direction]) ?? Load()
            let gone = crowd.route == nil ? relief[crowd.direction] ?? Load() : Load()
            let messages = max(0, load.messages - gone.messages - limits.messages)
            let bytes = max(0, load.bytes - gone.bytes - limits.bytes)
            guard messages > 0 || bytes > 0 else { return nil }
            relief[crowd.direction, default: Load()].messages += messages
            relief[crowd.direction, default: Load()].bytes += bytes
            return .oldest(crowd.direction, route: crowd.route, messages: messages, bytes: bytes)
        }
    }

    /// Whether messages of a route wait when there is no room, rather than being dropped.
    private func waits(_ route: String) -> Bool { [.block, .reject].contains(routes[route]?.policy ?? policy) }

    /// Whether messages of a direction must wait, of this route or of all.
    func isFull(_ direction: Direction, route: String) -> Bool {
        guard waits(route) else { return false }
        if let limits = routes[route]?.limits,
            loads[Key(direction: direction, route: route)]?.fills(limits) == true
        {
            return true
        }
        return totals[direction]?.fills(limits) ?? false
    }

    /// Whether those who waited may go on: not before a quarter is free, so that it is not for a single message.
    ///
    /// - Parameter size: Of the message that is to fit, where that is known.
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
