import MessageStore

extension Session {
    /// Applies a batch. Within a transaction.
    func apply(_ batch: StoreBatch) throws -> [StoreRemoval] {
        if !batch.published.isEmpty || !batch.departures.isEmpty || !batch.evictions.isEmpty { recoveredTopics = [:] }
        try remove(.inbound, batch.finished)
        try remove(.outbound, batch.published)
        try insert(batch.arrivals)
        for record in batch.departures { try insert(record) }
        for identity in batch.seen { try insert(identity) }
        for change in batch.progress { try insert(change) }
        for letter in batch.deadLetters { try insert(letter) }
        if !batch.replayed.isEmpty { letterSums = nil }
        for number in batch.replayed {
            let statement = try statement(.deleteLetter)
            statement.bind(number)
            try statement.execute()
        }
        if let life = batch.life { try note(life) }
        if batch.isProbe { try writeProbe() }
        let removals = try batch.evictions.flatMap { try evict($0) }
        if !batch.departures.isEmpty, batch.arrivals.isEmpty { try demandMargin() }
        return removals
    }

    /// Removes messages, with one statement for each range of consecutive sequences.
    func remove(_ direction: DeadLetter.Direction, _ sequences: [Int64]) throws {
        guard !sequences.isEmpty else { return }
        let ranges = ranges(sequences)
        try remove(direction == .inbound ? .deleteInbound : .deleteOutbound, ranges)
        guard direction == .inbound, mayHaveProgress else { return }
        try remove(.deleteProgress, ranges)
        let any = try statement(.anyProgress)
        mayHaveProgress = try any.first { true } ?? false
    }

    private func remove(_ query: Query, _ ranges: [ClosedRange<Int64>]) throws {
        let statement = try statement(query)
        for range in ranges {
            statement.bind(range.lowerBound)
            statement.bind(range.upperBound)
            try statement.execute()
        }
    }

    private func ranges(_ sequences: [Int64]) -> [ClosedRange<Int64>] {
        var ranges: [ClosedRange<Int64>] = []
        for sequence in sequences.sorted() {
            if let last = ranges.last, sequence - 1 <= last.upperBound {
                ranges[ranges.count - 1] = last.lowerBound...sequence
            } else {
                ranges.append(sequence...sequence)
            }
        }
        return ranges
    }

    private func insert(_ records: [InboundRecord]) throws {
        guard !records.isEmpty else { return }
        let statement = try statement(.insertInbound)
        // By index: a copy of a record retains and releases each of its texts.
        for position in records.indices { try insert(records[position], statement) }
    }

    private func insert(_ record: borrowing InboundRecord, _ statement: PreparedStatement) throws {
        let envelope = try envelopeNumber(of: record)
        if !searchStarts.isEmpty {
            noteArrival(.inbound, record.sequence, route: try self.envelope(envelope).routeNumber)
        }
        statement.bind(record.sequence)
        statement.bind(envelope)
        statement.bind(Int64(record.size))
        statement.bind(record.time)
        statement.bind(record.expires)
        statement.bindHead(record)
        try statement.execute(payload: record.payload)
    }

    private func insert(_ record: OutboundRecord) throws {
        let route = try number(of: record.route)
        let broker = try number(of: record.broker)
        noteArrival(.outbound, record.sequence, route: route)
        let statement = try statement(.insertOutbound)
        statement.bind(record.sequence)
        statement.bind(route)
        statement.bind(broker)
        statement.bind(Int64(record.size))
        statement.bind(Int64(record.qos))
        statement.bind(record.isRetained ? 1 : 0)
        statement.bind(record.time)
        statement.bind(record.expires)
        statement.bind(record.topic)
        statement.bind(record.event)
        statement.bind(record.source)
        statement.bind(record.tag)
        statement.bind(record.details)
        try statement.execute(payload: record.payload)
    }

    private func insert(_ identity: SeenIdentity) throws {
        let statement = try statement(.insertSeen)
        statement.bind(identity.time)
        statement.bind(identity.source)
        statement.bind(identity.tag)
        statement.bind(identity.event)
        statement.bind(Int64(bitPattern: identity.digest))
        statement.bindChecksum()
        try statement.execute()
    }

    private func insert(_ change: StoreBatch.Progress) throws {
        let listener = try number(of: change.listener)
        let statement = try statement(.insertProgress)
        statement.bind(change.sequence)
        statement.bind(listener)
        statement.bind(change.progress.isFinished ? 1 : 0)
        statement.bind(CallCounts(change.progress).packed)
        statement.bindChecksum()
        try statement.execute()
        mayHaveProgress = true
    }
}
