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

    /// The number of a list of listeners, which is kept if it is new. Within a transaction.
    func number(of audience: [String]) throws -> Int64 {
        if let number = names.number(of: audience) { return number }
        let listeners = try audience.map { "\(try self.number(of: $0))" }.joined(separator: ",")
        let find = try statement(.findAudience)
        find.bind(listeners)
        if let number = try find.first({ find.integer(0) }) {
            names.keep(audience, number)
            return number
        }
        let number = try integer(.lastAudience) + 1
        let insert = try statement(.insertAudience)
        insert.bind(number)
        insert.bind(listeners)
        insert.bindChecksum()
        try insert.execute()
        names.keep(audience, number)
        return number
    }

    /// The list of listeners with a number.
    func audience(_ number: Int64) throws -> [String] {
        if let audience = names.audience(number) { return audience }
        let statement = try statement(.selectAudience)
        statement.bind(number)
        let listeners = try statement.first {
            try statement.demandSound("audiences")
            return try Self.numbers(statement.text(1))
        }
        guard let listeners else { throw StoreDamage(detail: "list of listeners \(number) is missing") }
        let audience = try listeners.map { try name($0) }
        names.keep(audience, number)
        return audience
    }

    private static func numbers(_ listeners: String) throws -> [Int64] {
        try listeners.split(separator: ",").map {
            guard let number = Int64($0) else { throw StoreDamage(detail: "a list of listeners is unreadable") }
            return number
        }
    }

    /// Removes names and lists that no row uses, so that those of former configurations do not pile up. Within a
    /// transaction.
    func removeUnusedNames() throws {
        try database.execute(sql: "DELETE FROM audiences WHERE id NOT IN (SELECT audience FROM inbound)")
        var used: Set<Int64> = []
        let lists = try statement(.everyAudience)
        try lists.forEachRow {
            used.formUnion(try Self.numbers(lists.text(1)))
            return true
        }
        let listeners = used.map(String.init).joined(separator: ",")
        try database.execute(
            sql: """
                DELETE FROM names WHERE id NOT IN (\(listeners)) AND id NOT IN (
                    SELECT route FROM inbound UNION SELECT broker FROM inbound
                    UNION SELECT route FROM outbound UNION SELECT broker FROM outbound
                    UNION SELECT listener FROM progress
                )
                """
        )
        names = NameCache()
    }
}
