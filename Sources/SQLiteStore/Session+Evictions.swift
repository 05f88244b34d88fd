import MessageStore

extension Session {
    /// Carries out an eviction. Within a transaction.
    func evict(_ eviction: StoreEviction) throws -> [StoreRemoval] {
        switch eviction {
        case .oldest(let direction, let route, let messages, let bytes):
            return try evictOldest(direction, route: route, messages: messages, bytes: bytes)
        case .expired(let time):
            return try evictExpired(.inbound, before: time) + evictExpired(.outbound, before: time)
        case .seen(let time, let keep):
            try evictSeen(before: time, keep: keep)
        case .letters(let keep):
            let statement = try statement(.trimLetters)
            statement.bind(Int64(max(0, keep)))
            try statement.execute()
        }
        return []
    }

    /// Lets the next search for the oldest messages find this one.
    func noteArrival(_ direction: DeadLetter.Direction, _ sequence: Int64, route: Int64) {
        guard !searchStarts.isEmpty else { return }
        for key in [RouteKey(direction: direction, route: route), RouteKey(direction: direction, route: nil)] {
            if let start = searchStarts[key], sequence < start { searchStarts[key] = sequence }
        }
    }

    /// The rows of other routes in front of the oldest one are passed over once, not at each eviction: an index by
    /// route would cost more, with each message.
    private func evictOldest(
        _ direction: DeadLetter.Direction,
        route: String?,
        messages: Int,
        bytes: Int
    ) throws -> [StoreRemoval] {
        guard messages > 0 || bytes > 0 else { return [] }
        var key = RouteKey(direction: direction, route: nil)
        if let route {
            guard let number = try existingNumber(of: route) else { return [] }
            key.route = number
        }
        var removals: [StoreRemoval] = []
        var size = 0
        var start = searchStarts[key] ?? 0
        let statement = try statement(direction == .inbound ? .oldestInbound : .oldestOutbound)
        statement.bind(start)
        try statement.forEachRow {
            guard removals.count < messages || size < bytes else { return false }
            start = statement.integer(0) + 1
            guard try key.route == nil || key.route == routeNumber(direction, statement) else { return true }
            let removal = try removal(direction, statement, .full)
            removals.append(removal)
            size += removal.size
            return true
        }
        try remove(direction, removals.map(\.sequence))
        searchStarts[key] = start
        return removals
    }

    private func evictExpired(_ direction: DeadLetter.Direction, before time: Int64) throws -> [StoreRemoval] {
        var removals: [StoreRemoval] = []
        let statement = try statement(direction == .inbound ? .expiredInbound : .expiredOutbound)
        statement.bind(time)
        try statement.forEachRow {
            removals.append(try removal(direction, statement, .expired))
            return true
        }
        removals.sort { $0.sequence < $1.sequence }
        try remove(direction, removals.map(\.sequence))
        return removals
    }

    private func removal(
        _ direction: DeadLetter.Direction,
        _ statement: PreparedStatement,
        _ reason: StoreRemoval.Reason
    ) throws -> StoreRemoval {
        let isInbound = direction == .inbound
        let envelope = isInbound ? try envelope(statement.integer(2)) : nil
        return StoreRemoval(
            direction: direction,
            sequence: statement.integer(0),
            route: try envelope?.route ?? name(statement.integer(2)),
            broker: try envelope?.broker ?? name(statement.integer(3)),
            topic: isInbound ? try statement.head(3) { try $0.next() } : statement.text(4),
            size: Int(statement.integer(1)),
            reason: reason
        )
    }

    private func routeNumber(_ direction: DeadLetter.Direction, _ statement: PreparedStatement) throws -> Int64 {
        let number = statement.integer(2)
        return direction == .inbound ? try envelope(number).routeNumber : number
    }

    /// The numbers of the rows have no gaps: rows are added at one end and removed at the other.
    private func evictSeen(before time: Int64, keep: Int) throws {
        guard let range = try seenRange() else { return }
        let from = try statement(.seenFrom)
        from.bind(time)
        let late = (try from.first { from.integer(0) }).map { $0 - 1 } ?? range.upperBound
        let extra = range.upperBound - Int64(max(0, keep))
        let last = max(late, extra)
        guard last >= range.lowerBound else { return }
        let statement = try statement(.deleteSeen)
        statement.bind(last)
        try statement.execute()
    }

    /// The numbers of the identities; nil when there is none.
    func seenRange() throws -> ClosedRange<Int64>? {
        let statement = try statement(.seenRange)
        return try statement.first { () -> ClosedRange<Int64>? in
            guard let first = statement.optionalInteger(0), let last = statement.optionalInteger(1) else { return nil }
            return first...max(first, last)
        } ?? nil
    }
}
