import MessageStore

/// Messages that come and go together: those of one route are counted at once.
extension StoreGauge {
    /// Messages of one route.
    struct Run: Sendable, Hashable {
        let route: String
        var messages = 0
        var bytes = 0
    }

    /// Counts messages if there is room for every one of them. Returns false, and counts none, if there is not.
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

    /// Counts those of some messages that are kept, by the policies, although there is not room for all. Returns the
    /// places of the others.
    mutating func refusals(
        _ direction: Direction,
        _ items: some Sequence<(route: String, size: Int)>,
        _ crowds: inout Set<Crowd>
    ) -> [Int] {
        var refused: [Int] = []
        for (place, item) in items.enumerated() {
            switch verdict(direction, route: item.route, size: item.size) {
            case .drop:
                refused.append(place)
                continue
            case .evict(let crowd): crowds.insert(crowd)
            // It was read already. What comes next is left at the broker.
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
    /// The runs of messages that are done with.
    init(_ done: [PendingChanges.Done]) {
        self = []
        for message in done { add(message.route, bytes: message.size) }
    }

    /// The runs of emits.
    init(_ departures: [Departure]) {
        self = []
        for departure in departures { add(departure.record.route, bytes: departure.record.size) }
    }

    mutating func add(_ route: String, bytes: Int) {
        if last?.route != route { append(StoreGauge.Run(route: route)) }
        self[count - 1].messages += 1
        self[count - 1].bytes += bytes
    }
}
