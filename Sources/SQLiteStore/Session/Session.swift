import GRDB
import MessageStore

/// An open database with its prepared statements and a cache of its content. Used on the database's queue only.
///
/// The cache is valid while no other process changes the cached content. Operators change only dead letters.
final class Session {
    let database: Database
    private let begin: Statement
    private let end: Statement
    private var statements = [PreparedStatement?](repeating: nil, count: Query.allCases.count)
    var names = NameCache()
    /// The number of unclean shutdowns; nil if it must be read.
    private var knownGeneration: Int64?
    /// False if the progress table is known to be empty.
    var mayHaveProgress = true
    /// An upper bound for the number and size in bytes of dead letters, since an operator may remove some; nil if it
    /// must be read.
    var letterSums: (count: Int, bytes: Int)?
    /// Lower bounds for the sequences of a route's messages: the start of a search for the oldest message.
    var searchStarts: [RouteKey: Int64] = [:]

    /// The topics of outbound messages by the number of their broker, collected by ``recover()``. The set of a broker
    /// is returned once, and no set after a change of outbound messages.
    var recoveredTopics: [Int64: Set<ExactName>] = [:]

    /// A direction and the number of a route's name; nil for any route.
    struct RouteKey: Hashable {
        var direction: DeadLetter.Direction
        var route: Int64?
    }

    /// Whether commits that are not repeatable wait for the medium.
    private let isSynchronous: Bool
    /// Whether the connection is set to wait for the medium.
    private var waitsForMedium: Bool
    /// Nil for an operator.
    let reserve: StoreReserve?
    /// Whether the growth of the file is stopped: the medium is full, and the reserve was deleted.
    var isFrozen: Bool { frozenAt != nil }
    /// The most pages of a frozen file; nil if it may grow.
    var frozenAt: Int64?
    /// The number of pages of the file at the last commit; nil before the first commit.
    var knownPages: Int64?

    init(_ database: Database, reserve: StoreReserve? = nil) throws {
        self.database = database
        isSynchronous = try Int.fetchOne(database, sql: "PRAGMA synchronous") == 2
        waitsForMedium = isSynchronous
        self.reserve = reserve
        begin = try database.makeStatement(sql: "BEGIN IMMEDIATE")
        end = try database.makeStatement(sql: "COMMIT")
    }

    func statement(_ query: Query) throws -> PreparedStatement {
        if let statement = statements[query.rawValue] {
            statement.prepare()
            return statement
        }
        let statement = try PreparedStatement(query.sql, in: database)
        statements[query.rawValue] = statement
        return statement
    }

    /// Runs `body` in one atomic transaction.
    ///
    /// On a full medium it checkpoints the log, which contains each page as often as it was changed, and retries. It
    /// retries twice: after a failed commit SQLite may append to the log once more before it restarts it.
    ///
    /// - Parameter isRepeatable: Whether a power cut may undo the transaction. If so, the commit does not wait for the
    ///   medium. The next commit that waits makes this one durable too, since it syncs the log up to its end. The end
    ///   of the process undoes nothing.
    func transaction<Result>(isRepeatable: Bool = false, _ body: () throws -> Result) throws -> Result {
        let waits = isSynchronous && !isRepeatable
        if waits != waitsForMedium {
            try database.execute(sql: waits ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL")
            waitsForMedium = waits
        }
        for _ in 0..<2 {
            do {
                return try attempt(body)
            } catch let error as DatabaseError where error.resultCode == .SQLITE_FULL {
                guard makeRoom() else { throw error }
            }
        }
        return try attempt(body)
    }

    private func attempt<Result>(_ body: () throws -> Result) throws -> Result {
        try begin.execute()
        do {
            let result = try body()
            let pages = try checkGrowth()
            try end.execute()
            knownPages = pages
            return result
        } catch {
            forget()
            // Does nothing if SQLite has rolled back already, as after some errors.
            try? database.rollback()
            throw error
        }
    }

    /// Runs `body` in a read transaction, on one state of the content.
    func snapshot<Result>(_ body: () throws -> Result) throws -> Result {
        var result: Result?
        try database.inTransaction(.deferred) {
            result = try body()
            return .commit
        }
        return result!
    }

    /// Clears the cache.
    func forget() {
        names = NameCache()
        knownGeneration = nil
        mayHaveProgress = true
        searchStarts = [:]
        letterSums = nil
        recoveredTopics = [:]
    }

    func integer(_ query: Query) throws -> Int64 {
        let statement = try statement(query)
        return try statement.first { statement.integer(0) } ?? 0
    }

    // MARK: Named values

    private static let generationName = "generation"
    private static let lifeName = "life"
    /// Separates the texts of the bridge from the store's own values.
    private static let textPrefix = "text."

    var generation: Int64 {
        get throws {
            if let knownGeneration { return knownGeneration }
            let generation = try state(Self.generationName).flatMap { Int64($0) } ?? 0
            knownGeneration = generation
            return generation
        }
    }

    func beginGeneration() throws {
        let next = try generation + 1
        try setState(Self.generationName, to: "\(next)")
        knownGeneration = next
    }

    /// The recorded state of the last owner.
    var life: StoreBatch.Life {
        get throws { try state(Self.lifeName).flatMap { .init(rawValue: $0) } ?? .ended }
    }

    func note(_ life: StoreBatch.Life) throws { try setState(Self.lifeName, to: life.rawValue) }

    /// Writes a new random value: SQLite does not write to the medium if nothing changes.
    func writeProbe() throws {
        try demandMargin()
        try setState("probe", to: "\(UInt64.random(in: .min ... .max))")
    }

    func text(named name: String, initial: String) throws -> String {
        if let text = try state(Self.textPrefix + name) { return text }
        return try transaction {
            if let text = try state(Self.textPrefix + name) { return text }
            try setState(Self.textPrefix + name, to: initial)
            return initial
        }
    }

    func setText(_ text: String, named name: String) throws {
        try transaction { try setState(Self.textPrefix + name, to: text) }
    }

    private func state(_ name: String) throws -> String? {
        let statement = try statement(.selectState)
        statement.bind(name)
        return try statement.first {
            try statement.demandSound("state")
            return statement.text(1)
        }
    }

    private func setState(_ name: String, to value: String) throws {
        let statement = try statement(.insertState)
        statement.bind(name)
        statement.bind(value)
        statement.bindChecksum()
        try statement.execute()
    }
}

extension PreparedStatement {
    /// - Throws: ``StoreDamage`` if the checksum of the row is wrong.
    func demandSound(_ table: String) throws {
        guard isSound else { throw StoreDamage(detail: "a row of the table \(table) was changed from outside") }
    }
}
