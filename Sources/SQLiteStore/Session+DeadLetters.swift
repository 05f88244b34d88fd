import GRDB
import MessageStore

extension Session {
    /// Adds a letter, which gets the next number. Within a transaction.
    func insert(_ letter: DeadLetter) throws {
        let statement = try statement(.insertLetter)
        statement.bind(letter.direction.rawValue)
        for text in [letter.route, letter.broker, letter.topic, letter.event, letter.source, letter.tag] {
            statement.bind(text)
        }
        statement.bind(letter.listener)
        statement.bind(letter.error)
        statement.bind(Int64(letter.attempts))
        statement.bind(letter.time)
        statement.bind(letter.died)
        statement.bind(Int64(letter.qos))
        statement.bind(letter.isRetained ? 1 : 0)
        statement.bind(letter.details)
        statement.bind(Int64(letter.payloadSize))
        try statement.execute(payload: letter.payload)
        guard letter.isReplayRequested else { return }
        try database.execute(sql: "UPDATE letters SET replay = 1 WHERE number = last_insert_rowid()")
    }

    func letters(_ filter: DeadLetterFilter, limit: Int) throws -> [DeadLetter] {
        let columns = Query.letter + ", number, replay"
        let statement = try PreparedStatement(
            "SELECT \(columns) FROM letters WHERE \(filter.condition) ORDER BY number LIMIT ?5",
            in: database
        )
        bind(filter, to: statement)
        statement.bind(Int64(max(0, limit)))
        var letters: [DeadLetter] = []
        try statement.forEachRow {
            guard statement.isSound(through: 17), let direction = DeadLetter.Direction(rawValue: statement.text(0))
            else {
                throw StoreDamage(detail: "a row of the table letters was changed from outside")
            }
            let letter = DeadLetter(
                number: statement.integer(18),
                direction: direction,
                route: statement.text(1),
                broker: statement.text(2),
                topic: statement.text(3),
                event: statement.text(4),
                source: statement.text(5),
                tag: statement.text(6),
                payload: statement.optionalBytes(16),
                payloadSize: Int(statement.integer(15)),
                details: statement.text(14),
                qos: UInt8(truncatingIfNeeded: statement.integer(12)),
                isRetained: statement.integer(13) != 0,
                listener: statement.text(7),
                error: statement.text(8),
                attempts: Int(statement.integer(9)),
                time: statement.integer(10),
                died: statement.integer(11),
                isReplayRequested: statement.integer(19) != 0
            )
            letters.append(letter)
            return true
        }
        return letters
    }

    /// Marks letters. Within a transaction.
    func requestReplay(of filter: DeadLetterFilter) throws -> Int {
        try change("UPDATE letters SET replay = 1 WHERE payload IS NOT NULL AND", filter)
    }

    /// Removes letters. Within a transaction.
    func dropLetters(_ filter: DeadLetterFilter) throws -> Int {
        try change("DELETE FROM letters WHERE", filter)
    }

    private func change(_ action: String, _ filter: DeadLetterFilter) throws -> Int {
        let statement = try PreparedStatement("\(action) \(filter.condition)", in: database)
        bind(filter, to: statement)
        try statement.execute()
        return database.changesCount
    }

    private func bind(_ filter: DeadLetterFilter, to statement: PreparedStatement) {
        statement.bind(filter.after)
        statement.bind(filter.numbers.map { "[" + $0.map(String.init).joined(separator: ",") + "]" })
        statement.bind(filter.route)
        statement.bind(filter.diedBefore)
    }
}

extension DeadLetterFilter {
    /// The condition in SQL: ?1 is `after`, ?2 the numbers as a JSON array, ?3 the route, ?4 `diedBefore`; those that
    /// are nil are not looked at.
    fileprivate var condition: String {
        var condition = "number > ?1 AND (?2 IS NULL OR number IN (SELECT value FROM json_each(?2)))"
        condition += " AND (?3 IS NULL OR route = ?3) AND (?4 IS NULL OR died < ?4)"
        // Literally, as in the index.
        if onlyReplayRequested { condition += " AND replay = 1" }
        return condition
    }
}
