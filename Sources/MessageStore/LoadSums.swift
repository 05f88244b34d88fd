/// Sums up messages and bytes by direction and route.
struct LoadSums {
    private struct Key: Hashable {
        var direction: DeadLetter.Direction
        var route: ExactName
    }

    private var sums: [Key: StoreStatus.Load] = [:]

    mutating func add(_ direction: DeadLetter.Direction, route: String, bytes: Int, time: Int64) {
        let none = StoreStatus.Load(direction: direction, route: route, messages: 0, bytes: 0, oldest: time)
        let key = Key(direction: direction, route: ExactName(route))
        var load = sums[key] ?? none
        load.messages += 1
        load.bytes += bytes
        load.oldest = min(load.oldest, time)
        sums[key] = load
    }

    var loads: [StoreStatus.Load] { sums.values.sorted(by: StoreStatus.Load.precedes) }
}

extension StoreStatus.Load {
    /// The order of ``StoreStatus/loads``: inbound first, then by the bytes of the route's name.
    package static func precedes(_ first: Self, _ second: Self) -> Bool {
        if first.direction != second.direction { return first.direction == .inbound }
        return first.route.utf8.lexicographicallyPrecedes(second.route.utf8)
    }
}
