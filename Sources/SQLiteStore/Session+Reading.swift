import MessageStore

extension Session {
    func inbound(after sequence: Int64, limit: Int, bytes: Int) throws -> [InboundEntry] {
        var page = PageLimit(entries: limit, bytes: bytes)
        var result: [InboundEntry] = []
        let generation = try generation
        let statement = try statement(.selectInbound)
        statement.bind(sequence)
        statement.bind(Int64(max(0, limit)))
        try statement.forEachRow {
            guard page.takes(statement.size(6)) else { return false }
            try statement.demandSound("inbound")
            let envelope = try envelope(statement.integer(1))
            let record = try inbound(statement, envelope)
            let recoveries = Int(generation - envelope.generation)
            let progress = mayHaveProgress ? try progress(of: record.sequence) : [:]
            result.append(InboundEntry(record: record, recoveries: recoveries, progress: progress))
            return true
        }
        return result
    }

    private func inbound(_ statement: PreparedStatement, _ envelope: Envelope) throws -> InboundRecord {
        try statement.head(5) { head in
            InboundRecord(
                sequence: statement.integer(0),
                route: envelope.route,
                broker: envelope.broker,
                topic: try head.next(),
                event: try head.next(),
                source: try head.next(),
                tag: try head.next(),
                payload: statement.bytes(6),
                details: try head.next(),
                time: statement.integer(3),
                expires: statement.optionalInteger(4),
                audience: envelope.audience
            )
        }
    }

    private func progress(of sequence: Int64) throws -> [String: ListenerProgress] {
        var result: [String: ListenerProgress] = [:]
        let statement = try statement(.selectProgress)
        statement.bind(sequence)
        try statement.forEachRow {
            try statement.demandSound("progress")
            let attempts = Int(statement.integer(3))
            result[try name(statement.integer(1))] = .init(isFinished: statement.integer(2) != 0, attempts: attempts)
            return true
        }
        return result
    }

    func outbound(to broker: String, after sequence: Int64, limit: Int, bytes: Int) throws -> [OutboundRecord] {
        guard let number = try existingNumber(of: broker) else { return [] }
        var page = PageLimit(entries: limit, bytes: bytes)
        var result: [OutboundRecord] = []
        let statement = try statement(.selectOutbound)
        statement.bind(number)
        statement.bind(sequence)
        statement.bind(Int64(max(0, limit)))
        try statement.forEachRow {
            guard page.takes(statement.size(13)) else { return false }
            try statement.demandSound("outbound")
            let record = OutboundRecord(
                sequence: statement.integer(0),
                route: try name(statement.integer(1)),
                broker: try name(statement.integer(2)),
                topic: statement.text(8),
                event: statement.text(9),
                source: statement.text(10),
                tag: statement.text(11),
                payload: statement.bytes(13),
                details: statement.text(12),
                qos: UInt8(truncatingIfNeeded: statement.integer(4)),
                isRetained: statement.integer(5) != 0,
                time: statement.integer(6),
                expires: statement.optionalInteger(7)
            )
            result.append(record)
            return true
        }
        return result
    }

    func outboundTopics(to broker: String, limit: Int) throws -> [String] {
        guard let number = try existingNumber(of: broker) else { return [] }
        var topics: [String] = []
        let statement = try statement(.selectTopics)
        statement.bind(number)
        statement.bind(Int64(max(0, limit)))
        try statement.forEachRow {
            topics.append(statement.text(0))
            return true
        }
        return topics
    }

    /// Begins a generation. Within a transaction.
    func recover() throws -> StoreInventory {
        try beginGeneration()
        try removeUnusedNames()
        return StoreInventory(
            lastSequence: max(try integer(.lastInbound), try integer(.lastOutbound)),
            loads: try loads(),
            seen: try seen(),
            deadLetters: Int(try integer(.countLetters))
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
                time: statement.integer(0)
            )
            result.append(identity)
            return true
        }
        return result
    }

    /// The status, but for the size.
    func status() throws -> StoreStatus {
        let seen = try seenRange().map { Int($0.upperBound - $0.lowerBound + 1) } ?? 0
        return StoreStatus(loads: try loads(), deadLetters: Int(try integer(.countLetters)), seen: seen, size: 0)
    }

    private func loads() throws -> [StoreStatus.Load] {
        let inbound = try loads(.inbound, .inboundLoads) { try envelope($0).route }
        let outbound = try loads(.outbound, .outboundLoads) { try name($0) }
        return (inbound + outbound).sorted(by: StoreStatus.Load.precedes)
    }

    private func loads(_ direction: DeadLetter.Direction, _ query: Query, route: (Int64) throws -> String) throws
        -> [StoreStatus.Load]
    {
        var loads: [ExactName: StoreStatus.Load] = [:]
        let statement = try statement(query)
        try statement.forEachRow {
            let load = StoreStatus.Load(
                direction: direction,
                route: try route(statement.integer(0)),
                messages: Int(statement.integer(1)),
                bytes: Int(statement.integer(2)),
                oldest: statement.integer(3)
            )
            // Messages of one route came in several envelopes.
            if let known = loads[ExactName(load.route)] {
                loads[ExactName(load.route)]?.messages += load.messages
                loads[ExactName(load.route)]?.bytes += load.bytes
                loads[ExactName(load.route)]?.oldest = min(known.oldest, load.oldest)
            } else {
                loads[ExactName(load.route)] = load
            }
            return true
        }
        return Array(loads.values)
    }
}
