import MessageStore

extension Session {
    func shares() throws -> [StoreShare] {
        var shares: [ShareKey: StoreShare] = [:]
        func add(_ owner: StoreShare.Owner, _ messages: Int, _ bytes: Int) {
            let share = StoreShare(owner: owner, messages: 0, bytes: 0)
            shares[ShareKey(owner), default: share].messages += messages
            shares[ShareKey(owner), default: share].bytes += bytes
        }
        let totals = try sums()
        for (number, sum) in totals.inbound {
            let envelope = try envelope(number)
            add(.broker(envelope.broker), sum.messages, sum.bytes)
            add(.route(envelope.route), sum.messages, sum.bytes)
            for listener in envelope.listeners { add(.listener(listener), sum.messages, sum.bytes) }
        }
        let finished = try statement(.finishedShares)
        try finished.forEachRow {
            add(.listener(try name(finished.integer(0))), Int(-finished.integer(1)), Int(-finished.integer(2)))
            return true
        }
        for (lane, sum) in totals.outbound {
            add(.route(try name(lane.route)), sum.messages, sum.bytes)
            add(.broker(try name(lane.broker)), sum.messages, sum.bytes)
        }
        return shares.values.filter { $0.messages > 0 }
    }

    /// An owner, compared by the bytes of its name.
    private struct ShareKey: Hashable {
        var kind: Int
        var name: ExactName

        init(_ owner: StoreShare.Owner) {
            switch owner {
            case .broker(let name): (kind, self.name) = (0, ExactName(name))
            case .route(let name): (kind, self.name) = (1, ExactName(name))
            case .listener(let name): (kind, self.name) = (2, ExactName(name))
            }
        }
    }

    // MARK: Removal

    /// The position of a removal in slices.
    struct DropCursor {
        fileprivate var inbound: Int64? = .min
        fileprivate var outbound: Int64? = .min
        var isAtEnd: Bool { inbound == nil && outbound == nil }
    }

    /// The most messages and bytes that one transaction removes.
    private static let dropLimit = (count: 1_000, bytes: 32 * 1024 * 1024)

    /// Removes the next slice of messages. Within a transaction. Returns the number of messages and the next position.
    func dropSlice(of owner: StoreShare.Owner, at cursor: DropCursor) throws -> (dropped: Int, next: DropCursor) {
        var next = cursor
        var batch = StoreBatch()
        let dropped: Int
        if let start = cursor.inbound {
            dropped = try addInbound(of: owner, after: start, to: &batch, &next.inbound)
        } else {
            dropped = try addOutbound(of: owner, after: cursor.outbound ?? .max, to: &batch, &next.outbound)
        }
        if !batch.isEmpty { _ = try apply(batch) }
        return (dropped, next)
    }

    private func addInbound(
        of owner: StoreShare.Owner,
        after start: Int64,
        to batch: inout StoreBatch,
        _ cursor: inout Int64?
    ) throws -> Int {
        let numbers = try envelopes(of: owner)
        let rows = try slice(.droppedInbound, after: start, &cursor) {
            $0.bind("[" + numbers.map(String.init).joined(separator: ",") + "]")
        }
        guard case .listener(let listener) = owner else {
            batch.finished = rows.map(\.sequence)
            return rows.count
        }
        var dropped = 0
        for row in rows {
            let progress = try progress(of: row.sequence)
            guard progress[listener]?.isFinished != true else { continue }
            dropped += 1
            let others = try envelope(row.owner).listeners.filter { ExactName($0) != ExactName(listener) }
            if others.allSatisfy({ progress[$0]?.isFinished == true }) {
                batch.finished.append(row.sequence)
            } else {
                let done = ListenerProgress(isFinished: true, attempts: 0)
                batch.progress.append(.init(sequence: row.sequence, listener: listener, progress: done))
            }
        }
        return dropped
    }

    private func addOutbound(
        of owner: StoreShare.Owner,
        after start: Int64,
        to batch: inout StoreBatch,
        _ cursor: inout Int64?
    ) throws -> Int {
        var (route, broker): (Int64?, Int64?)
        switch owner {
        case .route(let name): route = try existingNumber(of: name)
        case .broker(let name): broker = try existingNumber(of: name)
        case .listener: break
        }
        guard route != nil || broker != nil else {
            cursor = nil
            return 0
        }
        let rows = try slice(.droppedOutbound, after: start, &cursor) {
            $0.bind(route)
            $0.bind(broker)
        }
        batch.published = rows.map(\.sequence)
        return rows.count
    }

    /// A candidate for removal, with the number of its envelope or route.
    private typealias DroppedRow = (sequence: Int64, owner: Int64)

    private func slice(
        _ query: Query,
        after start: Int64,
        _ cursor: inout Int64?,
        bind: (PreparedStatement) -> Void
    ) throws -> [DroppedRow] {
        var rows: [DroppedRow] = []
        var bytes = 0
        let statement = try statement(query)
        statement.bind(start)
        bind(statement)
        cursor = nil
        try statement.forEachRow {
            guard rows.count < Self.dropLimit.count, bytes < Self.dropLimit.bytes else {
                cursor = rows.last?.sequence
                return false
            }
            rows.append((statement.integer(0), statement.integer(1)))
            bytes += Int(statement.integer(2))
            return true
        }
        return rows
    }

    private func envelopes(of owner: StoreShare.Owner) throws -> [Int64] {
        var numbers: [Int64] = []
        let all = try statement(.everyEnvelope)
        try all.forEachRow {
            numbers.append(all.integer(0))
            return true
        }
        return try numbers.filter { number in
            let envelope = try envelope(number)
            return switch owner {
            case .broker(let name): ExactName(envelope.broker) == ExactName(name)
            case .route(let name): ExactName(envelope.route) == ExactName(name)
            case .listener(let name): envelope.listeners.contains { ExactName($0) == ExactName(name) }
            }
        }
    }
}
