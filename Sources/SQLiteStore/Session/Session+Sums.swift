import MessageStore

/// The sums of all messages by envelope (inbound) and by route and broker (outbound).
struct MessageSums {
    /// The key of outbound messages: the numbers of names.
    struct Lane: Hashable {
        var route: Int64
        var broker: Int64
    }

    struct Sum {
        var messages = 0
        var bytes = 0
        /// The earliest time of a message.
        var oldest = Int64.max

        static func + (first: Sum, second: Sum) -> Sum {
            Sum(
                messages: first.messages + second.messages,
                bytes: first.bytes + second.bytes,
                oldest: min(first.oldest, second.oldest)
            )
        }
    }

    /// By the number of the envelope.
    var inbound: [Int64: Sum]
    var outbound: [Lane: Sum]
}

extension Session {
    /// Returns the status without the size.
    func status() throws -> StoreStatus {
        let seen = try seenRange().map { Int($0.upperBound - $0.lowerBound + 1) } ?? 0
        return StoreStatus(loads: try loads(try sums()), deadLetters: try readLetterSums().count, seen: seen, size: 0)
    }

    /// Sums up all messages in one pass over each table.
    ///
    /// - Parameter visit: Called for each outbound message with the number of its broker and its row; column 4 of the
    ///   row is the topic.
    func sums(visitOutbound visit: (Int64, PreparedStatement) -> Void = { _, _ in }) throws -> MessageSums {
        MessageSums(
            inbound: try sums(.inboundLoads) { $0.integer(2) },
            outbound: try sums(.outboundLoads) { row in
                let lane = MessageSums.Lane(route: row.integer(2), broker: row.integer(3))
                visit(lane.broker, row)
                return lane
            }
        )
    }

    /// Sums row by row: for GROUP BY, SQLite would sort all rows in memory.
    private func sums<Key: Hashable>(
        _ query: Query,
        _ key: (PreparedStatement) -> Key
    ) throws -> [Key: MessageSums.Sum] {
        var sums: [Key: MessageSums.Sum] = [:]
        // Consecutive rows usually have the same key: this saves a lookup.
        var current: (key: Key, sum: MessageSums.Sum)?
        let statement = try statement(query)
        try statement.forEachRow {
            let key = key(statement)
            if let done = current, done.key != key {
                sums[done.key] = done.sum
                current = nil
            }
            let sum = current?.sum ?? sums[key] ?? MessageSums.Sum()
            let row = MessageSums.Sum(messages: 1, bytes: Int(statement.integer(0)), oldest: statement.integer(1))
            current = (key, sum + row)
            return true
        }
        if let current { sums[current.key] = current.sum }
        return sums
    }

    /// Returns the sums by direction and route.
    func loads(_ sums: MessageSums) throws -> [StoreStatus.Load] {
        let inbound = try loads(.inbound, sums.inbound) { try envelope($0).route }
        let outbound = try loads(.outbound, sums.outbound) { try name($0.route) }
        return (inbound + outbound).sorted(by: StoreStatus.Load.precedes)
    }

    /// Merges the sums of a route, which may have several envelopes and brokers.
    private func loads<Key>(
        _ direction: DeadLetter.Direction,
        _ sums: [Key: MessageSums.Sum],
        route: (Key) throws -> String
    ) throws -> [StoreStatus.Load] {
        var routes: [ExactName: (name: String, sum: MessageSums.Sum)] = [:]
        for (key, sum) in sums {
            let route = try route(key)
            let before = routes[ExactName(route)]?.sum ?? MessageSums.Sum()
            routes[ExactName(route)] = (route, before + sum)
        }
        return routes.values.map { route in
            let sum = route.sum
            return StoreStatus.Load(
                direction: direction,
                route: route.name,
                messages: sum.messages,
                bytes: sum.bytes,
                oldest: sum.oldest
            )
        }
    }
}
