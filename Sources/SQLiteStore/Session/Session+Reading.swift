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
            return try takes(StoreRow(.inbound, statement.integer(0)), isFirst: result.isEmpty) {
                try statement.demandSound("inbound")
                let envelope = try envelope(statement.integer(1))
                let record = try inbound(statement, envelope)
                let recoveries = Int(generation - envelope.generation)
                let progress = mayHaveProgress ? try progress(of: record.sequence) : [:]
                result.append(InboundEntry(record: record, recoveries: recoveries, progress: progress))
            }
        }
        return result
    }

    /// Reads a row. Throws its damage if it is the first row of the page. Otherwise a damaged row returns false and
    /// ends the page, and it is the first row of the next page.
    private func takes(_ row: StoreRow, isFirst: Bool, _ body: () throws -> Void) throws -> Bool {
        do {
            try body()
            return true
        } catch var damage as StoreDamage {
            guard isFirst else { return false }
            damage.row = row
            throw damage
        }
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
                listeners: envelope.listeners
            )
        }
    }

    func progress(of sequence: Int64) throws -> [String: ListenerProgress] {
        var result: [String: ListenerProgress] = [:]
        let statement = try statement(.selectProgress)
        statement.bind(sequence)
        try statement.forEachRow {
            // The message itself is sound. Ignore damaged progress: a repeated call of a listener is better than a
            // missing call.
            guard statement.isSound else { return true }
            let calls = CallCounts(packed: statement.integer(3))
            result[try name(statement.integer(1))] = ListenerProgress(
                isFinished: statement.integer(2) != 0,
                attempts: calls.attempts,
                interruptions: calls.interruptions
            )
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
            return try takes(StoreRow(.outbound, statement.integer(0)), isFirst: result.isEmpty) {
                try statement.demandSound("outbound")
                result.append(try outbound(statement))
            }
        }
        return result
    }

    private func outbound(_ statement: PreparedStatement) throws -> OutboundRecord {
        OutboundRecord(
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
    }

    func outboundTopics(to broker: String, limit: Int) throws -> [String] {
        guard let number = try existingNumber(of: broker) else { return [] }
        if let recovered = recoveredTopics.removeValue(forKey: number) {
            return recovered.prefix(max(0, limit)).map(\.text)
        }
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
}
