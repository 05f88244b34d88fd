import MessageStore

/// Counts consecutive messages of one route at once.
extension StoreGauge {
    /// Consecutive messages of one route.
    struct Run: Sendable, Hashable {
        let route: String
        var messages = 0
        var bytes = 0
    }

    /// Counts messages if there is room for all of them. Returns false, and counts none, if there is not.
    mutating func takes(_ direction: Direction, _ runs: [Run]) -> Bool {
        for (position, run) in runs.enumerated() {
            if holds(direction, route: run.route, messages: run.messages, bytes: run.bytes) {
                add(direction, route: run.route, messages: run.messages, bytes: run.bytes)
                continue
            }
            remove(direction, runs[..<position])
            return false
        }
        return true
    }

    /// Applies the policies to messages that there is not enough room for, and counts the accepted ones. Returns the
    /// positions of the discarded ones, ascending.
    mutating func refusals(
        _ direction: Direction,
        _ items: some Sequence<(route: String, size: Int)>,
        _ evictionScopes: inout Set<EvictionScope>
    ) -> [Int] {
        var refused: [Int] = []
        for (place, item) in items.enumerated() {
            switch verdict(direction, route: item.route, size: item.size) {
            case .drop:
                refused.append(place)
                continue
            case .evict(let scope): evictionScopes.insert(scope)
            // Accepted, since it was read already. The policy takes effect by not reading more.
            case .accept, .wait, .reject: break
            }
            add(direction, route: item.route, bytes: item.size)
        }
        return refused
    }

    mutating func remove(_ direction: Direction, _ runs: some Sequence<Run>) {
        for run in runs { add(direction, route: run.route, messages: -run.messages, bytes: -run.bytes) }
    }
}

extension [StoreGauge.Run] {
    /// The runs of finished messages.
    init(_ done: [PendingChanges.Done]) {
        self = []
        for message in done { add(message.route, bytes: message.size) }
    }

    /// The runs of emits.
    init(_ departures: [PendingPublish]) {
        self = []
        for departure in departures { add(departure.record.route, bytes: departure.record.size) }
    }

    mutating func add(_ route: String, bytes: Int) {
        if last?.route != route { append(StoreGauge.Run(route: route)) }
        self[count - 1].messages += 1
        self[count - 1].bytes += bytes
    }
}
