import GRDB
import MessageStore

extension Session {
    /// Returns the number of a name; nil if it has none.
    func existingNumber(of name: String) throws -> Int64? {
        if let number = names.number(of: name) { return number }
        let statement = try statement(.findName)
        statement.bind(name)
        guard let number = try statement.first({ statement.integer(0) }) else { return nil }
        names.keep(name, number)
        return number
    }

    /// Returns the number of a name; adds a new name. Within a transaction.
    func number(of name: String) throws -> Int64 {
        if let number = try existingNumber(of: name) { return number }
        let number = try integer(.lastName) + 1
        let statement = try statement(.insertName)
        statement.bind(number)
        statement.bind(name)
        statement.bindChecksum()
        try statement.execute()
        names.keep(name, number)
        return number
    }

    /// Returns the name with this number.
    func name(_ number: Int64) throws -> String {
        if let name = names.name(number) { return name }
        let statement = try statement(.selectName)
        statement.bind(number)
        let found = try statement.first {
            try statement.demandSound("names")
            return statement.text(1)
        }
        guard let name = found else { throw StoreDamage(detail: "name \(number) is missing") }
        names.keep(name, number)
        return name
    }

    /// Returns the number of the envelope for a new message; adds a new envelope. Within a transaction.
    func envelopeNumber(of record: borrowing InboundRecord) throws -> Int64 {
        if let number = names.envelopeNumber(of: record) { return number }
        return try keepEnvelope(of: copy record)
    }

    private func keepEnvelope(of record: InboundRecord) throws -> Int64 {
        let envelope = Envelope(
            routeNumber: try number(of: record.route),
            route: record.route,
            broker: record.broker,
            listeners: record.listeners,
            generation: try generation
        )
        let broker = try number(of: record.broker)
        let listeners = try record.listeners.map { "\(try self.number(of: $0))" }.joined(separator: ",")
        let find = try statement(.findEnvelope)
        for key in [envelope.generation, envelope.routeNumber, broker] { find.bind(key) }
        find.bind(listeners)
        let found = try find.first { find.integer(0) }
        let number = try found ?? integer(.lastEnvelope) + 1
        if found == nil {
            let insert = try statement(.insertEnvelope)
            for value in [number, envelope.routeNumber, broker] { insert.bind(value) }
            insert.bind(listeners)
            insert.bind(envelope.generation)
            insert.bindChecksum()
            try insert.execute()
        }
        names.keep(envelope, number, for: record)
        return number
    }

    /// Returns the envelope with this number.
    func envelope(_ number: Int64) throws -> Envelope {
        if let envelope = names.envelope(number) { return envelope }
        let statement = try statement(.selectEnvelope)
        statement.bind(number)
        let found = try statement.first {
            try statement.demandSound("envelopes")
            return (1...4).map { $0 == 3 ? 0 : statement.integer($0) } + (try Self.numbers(statement.text(3)))
        }
        guard let found else { throw StoreDamage(detail: "envelope \(number) is missing") }
        let envelope = Envelope(
            routeNumber: found[0],
            route: try name(found[0]),
            broker: try name(found[1]),
            listeners: try found[4...].map { try name($0) },
            generation: found[3]
        )
        names.keep(envelope, number)
        return envelope
    }

    private static func numbers(_ listeners: String) throws -> [Int64] {
        try listeners.split(separator: ",").map {
            guard let number = Int64($0) else { throw StoreDamage(detail: "a list of listeners is unreadable") }
            return number
        }
    }

    /// Removes unused names and envelopes, so that names of former configurations do not accumulate. Within a
    /// transaction.
    ///
    /// - Parameter sums: The sums of all messages, which save another pass over the messages.
    /// - Returns: The names of the listeners of all messages.
    func removeUnusedNames(besidesThoseOf sums: MessageSums) throws -> Set<String> {
        try database.execute(
            sql: "DELETE FROM envelopes WHERE id NOT IN (SELECT value FROM json_each(?))",
            arguments: [Self.list(sums.inbound.keys)]
        )
        var (listeners, used): (Set<Int64>, Set<Int64>) = ([], [])
        let envelopes = try statement(.everyEnvelope)
        try envelopes.forEachRow {
            used.formUnion([envelopes.integer(1), envelopes.integer(2)])
            listeners.formUnion(try Self.numbers(envelopes.text(3)))
            return true
        }
        used.formUnion(listeners)
        for lane in sums.outbound.keys { used.formUnion([lane.route, lane.broker]) }
        try removeNames(besides: used)
        names = NameCache()
        return Set(try listeners.map { try name($0) })
    }

    private func removeNames(besides used: Set<Int64>) throws {
        let unused = try statement(.everyName)
        var numbers: Set<Int64> = []
        try unused.forEachRow {
            if !used.contains(unused.integer(0)) { numbers.insert(unused.integer(0)) }
            return true
        }
        guard !numbers.isEmpty else { return }
        // Only with candidates: the scan of progress may read a row for each message.
        try database.execute(
            sql: """
                DELETE FROM names WHERE id IN (SELECT value FROM json_each(?))
                AND id NOT IN (SELECT listener FROM progress)
                """,
            arguments: [Self.list(numbers)]
        )
    }

    private static func list(_ numbers: some Sequence<Int64>) -> String {
        "[" + numbers.map(String.init).joined(separator: ",") + "]"
    }
}
