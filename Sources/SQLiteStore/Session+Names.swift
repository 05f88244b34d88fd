import GRDB
import MessageStore

extension Session {
    /// The number of a name; nil when no row has used it.
    func existingNumber(of name: String) throws -> Int64? {
        if let number = names.number(of: name) { return number }
        let statement = try statement(.findName)
        statement.bind(name)
        guard let number = try statement.first({ statement.integer(0) }) else { return nil }
        names.keep(name, number)
        return number
    }

    /// The number of a name, which is kept if it is new. Within a transaction.
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

    /// The name with a number.
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

    /// The number of the envelope of a message that comes now, which is kept if it is new. Within a transaction.
    func envelopeNumber(of record: borrowing InboundRecord) throws -> Int64 {
        if let number = names.envelopeNumber(of: record) { return number }
        return try keepEnvelope(of: copy record)
    }

    private func keepEnvelope(of record: InboundRecord) throws -> Int64 {
        let envelope = Envelope(
            routeNumber: try number(of: record.route),
            route: record.route,
            broker: record.broker,
            audience: record.audience,
            generation: try generation
        )
        let broker = try number(of: record.broker)
        let listeners = try record.audience.map { "\(try self.number(of: $0))" }.joined(separator: ",")
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

    /// The envelope with a number.
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
            audience: try found[4...].map { try name($0) },
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

    /// Removes names and envelopes that no row uses, so that those of former configurations do not pile up. Within a
    /// transaction.
    func removeUnusedNames() throws {
        try database.execute(sql: "DELETE FROM envelopes WHERE id NOT IN (SELECT envelope FROM inbound)")
        var used: Set<Int64> = []
        let envelopes = try statement(.everyEnvelope)
        try envelopes.forEachRow {
            used.formUnion(try Self.numbers(envelopes.text(3)))
            return true
        }
        let listeners = used.map(String.init).joined(separator: ",")
        try database.execute(
            sql: """
                DELETE FROM names WHERE id NOT IN (\(listeners)) AND id NOT IN (
                    SELECT route FROM envelopes UNION SELECT broker FROM envelopes
                    UNION SELECT route FROM outbound UNION SELECT broker FROM outbound
                    UNION SELECT listener FROM progress
                )
                """
        )
        names = NameCache()
    }
}
