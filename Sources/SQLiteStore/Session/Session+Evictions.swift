import MessageStore

extension Session {
    /// Performs an eviction. Within a transaction.
    func evict(_ eviction: StoreEviction) throws -> [StoreRemoval] {
        switch eviction {
        case .oldest(let direction, let route, let messages, let bytes):
            return try evictOldest(direction, route: route, messages: messages, bytes: bytes)
        case .expired(let time):
            return try evictExpired(.inbound, before: time) + evictExpired(.outbound, before: time)
        case .seen(let time, let keep):
            try evictSeen(before: time, keep: keep)
        case .deadLetters(let keep, let bytes):
            return try evictLetters(keep: max(0, keep), bytes: bytes)
        }
        return []
    }

    /// Moves the start of later searches for the oldest message back to an arrival with a lower sequence.
    func noteArrival(_ direction: DeadLetter.Direction, _ sequence: Int64, route: Int64) {
        guard !searchStarts.isEmpty else { return }
        for key in [RouteKey(direction: direction, route: route), RouteKey(direction: direction, route: nil)] {
            if let start = searchStarts[key], sequence < start { searchStarts[key] = sequence }
        }
    }

    /// Removes the oldest messages.
    ///
    /// ``searchStarts`` makes the search skip older rows of other routes only once. An index by route would cost time
    /// for each message.
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
        // Evictions remove damaged messages too.
        let isInbound = direction == .inbound
        let envelope: Envelope? = isInbound ? try legible { try self.envelope(statement.integer(2)) } : nil
        let topic: String? =
            isInbound ? try legible { try statement.head(3) { try $0.next() } as String } : statement.text(4)
        return StoreRemoval(
            direction: direction,
            sequence: statement.integer(0),
            route: isInbound ? envelope?.route ?? "" : try legible { try name(statement.integer(2)) } ?? "",
            broker: isInbound ? envelope?.broker ?? "" : try legible { try name(statement.integer(3)) } ?? "",
            topic: topic ?? "",
            size: Int(statement.integer(1)),
            reason: reason
        )
    }

    /// Returns the number of a row's route; nil if it is illegible.
    private func routeNumber(_ direction: DeadLetter.Direction, _ statement: PreparedStatement) throws -> Int64? {
        let number = statement.integer(2)
        return direction == .inbound ? try legible { try envelope(number).routeNumber } : number
    }

    /// Removes the oldest identities. Their row numbers have no gaps, since rows are added at the end and removed from the
    /// start.
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

    /// Returns the row numbers of the identities; nil if there is none.
    func seenRange() throws -> ClosedRange<Int64>? {
        let statement = try statement(.seenRange)
        return try statement.first { () -> ClosedRange<Int64>? in
            guard let first = statement.optionalInteger(0), let last = statement.optionalInteger(1) else { return nil }
            return first...max(first, last)
        } ?? nil
    }
}
