import GRDB
import MessageStore

extension Session {
    /// Adds a letter with the next number. Within a transaction.
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
        statement.bind(Int64(letter.size))
        try statement.execute(payload: letter.payload)
        if let sums = letterSums { letterSums = (sums.count + 1, sums.bytes + letter.size) }
        guard letter.isReplayRequested else { return }
        try database.execute(sql: "UPDATE letters SET replay = 1 WHERE number = last_insert_rowid()")
    }

    func letters(_ filter: DeadLetterFilter, limit: Int) throws -> [DeadLetter] {
        let columns = Query.letter + ", number, replay"
        let statement = try PreparedStatement(
            "SELECT \(columns) FROM letters WHERE \(filter.condition) ORDER BY number",
            in: database
        )
        bind(filter, to: statement)
        var letters: [DeadLetter] = []
        var page = PageLimit(entries: max(0, limit), bytes: PageLimit.letterBytes)
        try statement.forEachRow {
            let isSound = statement.isSound(through: 18)
            // A damaged letter cannot be replayed.
            if filter.onlyReplayRequested, !isSound { return true }
            guard page.takes(statement.size(17)) else { return false }
            var letter = letter(statement)
            if !isSound {
                letter.payload = nil
                letter.error = "this dead letter was damaged in the store"
            }
            letters.append(letter)
            return true
        }
        return letters
    }

    /// Returns the index entries of letters. Reads no payload.
    func letterIndex(_ filter: DeadLetterFilter, limit: Int) throws -> [SQLiteStore.LetterEntry] {
        let statement = try PreparedStatement(
            "SELECT number, size, payload IS NOT NULL FROM letters WHERE \(filter.condition) ORDER BY number LIMIT ?5",
            in: database
        )
        bind(filter, to: statement)
        statement.bind(Int64(max(0, limit)))
        var entries: [SQLiteStore.LetterEntry] = []
        try statement.forEachRow {
            let (number, size) = (statement.integer(0), Int(statement.integer(1)))
            entries.append(.init(number: number, size: size, hasPayload: statement.integer(2) != 0))
            return true
        }
        return entries
    }

    func readLetterSums() throws -> (count: Int, bytes: Int) {
        let statement = try statement(.letterSums)
        let sums = try statement.first { (count: Int(statement.integer(0)), bytes: Int(statement.integer(1))) }
        return sums ?? (0, 0)
    }

    /// The most letters and bytes that one transaction removes.
    private static let trimLimit = (count: 1_000, bytes: 32 * 1024 * 1024)

    /// Removes the oldest letters above the limits. Within a transaction.
    func evictLetters(keep: Int, bytes: Int) throws -> [StoreRemoval] {
        func isTooMuch(_ sums: (count: Int, bytes: Int)) -> Bool { sums.count > keep || sums.bytes > bytes }
        if let sums = letterSums, !isTooMuch(sums) { return [] }
        var sums = try readLetterSums()
        defer { letterSums = sums }
        guard isTooMuch(sums) else { return [] }
        var removals: [StoreRemoval] = []
        var removed = 0
        let oldest = try statement(.oldestLetters)
        try oldest.forEachRow {
            guard isTooMuch(sums), removals.count < Self.trimLimit.count, removed < Self.trimLimit.bytes else {
                return false
            }
            let size = Int(oldest.integer(1))
            removals.append(
                StoreRemoval(
                    direction: DeadLetter.Direction(rawValue: oldest.text(2)) ?? .inbound,
                    sequence: oldest.integer(0),
                    route: oldest.text(3),
                    broker: oldest.text(4),
                    topic: oldest.text(5),
                    size: size,
                    reason: .letter
                )
            )
            removed += size
            sums = (sums.count - 1, sums.bytes - size)
            return true
        }
        for removal in removals {
            let statement = try statement(.deleteLetter)
            statement.bind(removal.sequence)
            try statement.execute()
        }
        return removals
    }

    private func letter(_ statement: PreparedStatement) -> DeadLetter {
        DeadLetter(
            number: statement.integer(19),
            direction: DeadLetter.Direction(rawValue: statement.text(0)) ?? .inbound,
            route: statement.text(1),
            broker: statement.text(2),
            topic: statement.text(3),
            event: statement.text(4),
            source: statement.text(5),
            tag: statement.text(6),
            payload: statement.optionalBytes(17),
            payloadSize: Int(statement.integer(15)),
            details: statement.text(14),
            qos: UInt8(truncatingIfNeeded: statement.integer(12)),
            isRetained: statement.integer(13) != 0,
            listener: statement.text(7),
            error: statement.text(8),
            attempts: Int(statement.integer(9)),
            time: statement.integer(10),
            died: statement.integer(11),
            isReplayRequested: statement.integer(20) != 0
        )
    }

    /// Marks letters for replay. Within a transaction.
    func requestReplay(of filter: DeadLetterFilter) throws -> Int {
        try change("UPDATE letters SET replay = 1 WHERE payload IS NOT NULL AND event <> '' AND", filter)
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
    /// The SQL condition: ?1 is `after`, ?2 the numbers as a JSON array, ?3 the route, ?4 `diedBefore`. NULL means no
    /// condition.
    fileprivate var condition: String {
        var condition = "number > ?1 AND (?2 IS NULL OR number IN (SELECT value FROM json_each(?2)))"
        condition += " AND (?3 IS NULL OR route = ?3) AND (?4 IS NULL OR died < ?4)"
        // A literal, so that SQLite can use the partial index `letters_replay`.
        if onlyReplayRequested { condition += " AND replay = 1" }
        return condition
    }
}
