import MessageStore

extension Session {
    /// Starts a new generation after an unclean shutdown, and takes stock of the messages. Within a transaction.
    ///
    /// Reads each message once and no payload, so that a start with a million messages is fast.
    func recover() throws -> StoreInventory {
        if try life == .began {
            try beginGeneration()
            // This process has not begun yet, and it may end before it begins.
            try note(.ended)
        }
        var topics = TopicTable()
        let totals = try sums { broker, row in topics.add(broker: broker) { row.text(4) } }
        let listeners = try removeUnusedNames(besidesThoseOf: totals)
        recoveredTopics = topics.whole
        return StoreInventory(
            lastSequence: max(try integer(.lastInbound), try integer(.lastOutbound)),
            loads: try loads(totals),
            seen: try seen(),
            deadLetters: try readLetterSums().count,
            listeners: listeners
        )
    }

    private func seen() throws -> [SeenIdentity] {
        var result: [SeenIdentity] = []
        let statement = try statement(.everySeen)
        try statement.forEachRow {
            try statement.demandSound("seen")
            let identity = SeenIdentity(
                source: statement.text(1),
                tag: statement.text(2),
                event: statement.text(3),
                digest: UInt64(bitPattern: statement.integer(4)),
                time: statement.integer(0)
            )
            result.append(identity)
            return true
        }
        return result
    }
}

/// The distinct topics of messages by the number of their broker.
private struct TopicTable {
    /// Above every limit that the bridge passes to `outboundTopics`. The table has no complete set for a broker with
    /// more topics: a query with a limit is fast then.
    private static let limit = 70_000

    private var topics: [Int64: Set<ExactName>] = [:]

    mutating func add(broker: Int64, _ topic: () -> String) {
        guard topics[broker]?.count ?? 0 <= Self.limit else { return }
        topics[broker, default: []].insert(ExactName(topic()))
    }

    /// The complete sets.
    var whole: [Int64: Set<ExactName>] { topics.filter { $0.value.count <= Self.limit } }
}
