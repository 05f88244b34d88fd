import GRDB
import MessageStore

/// An open database with its prepared statements and what is known of its content. Used on the database's queue only.
///
/// What is known is right while no other process changes it: others touch dead letters only, of which nothing is known.
final class Session {
    let database: Database
    private let begin: Statement
    private let end: Statement
    private var statements = [PreparedStatement?](repeating: nil, count: Query.allCases.count)
    var names = NameCache()
    /// How often the store has been recovered; nil when it must be read.
    private var knownGeneration: Int64?
    /// False when there is no row of progress.
    var mayHaveProgress = true
    /// Below which sequence there is no message of a route: where the search for its oldest begins.
    var searchStarts: [RouteKey: Int64] = [:]

    /// A direction and the number of a route's name; nil for any route.
    struct RouteKey: Hashable {
        var direction: DeadLetter.Direction
        var route: Int64?
    }

    init(_ database: Database) throws {
        self.database = database
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

    /// Runs `body` as one change, which happens as a whole or not at all.
    ///
    /// On a full disk it is tried once more after the log, which holds each page as often as it was changed, has been
    /// written back into the file.
    func transaction<Result>(_ body: () throws -> Result) throws -> Result {
        do {
            return try attempt(body)
        } catch let error as DatabaseError where error.resultCode == .SQLITE_FULL {
            guard (try? database.checkpoint(.truncate)) != nil else { throw error }
            return try attempt(body)
        }
    }

    private func attempt<Result>(_ body: () throws -> Result) throws -> Result {
        try begin.execute()
        do {
            let result = try body()
            try end.execute()
            return result
        } catch {
            forget()
            // After some errors SQLite has done it already; then this does nothing.
            try? database.rollback()
            throw error
        }
    }

    /// Runs `body`, which only reads, on one state of the content.
    func snapshot<Result>(_ body: () throws -> Result) throws -> Result {
        var result: Result?
        try database.inTransaction(.deferred) {
            result = try body()
            return .commit
        }
        return result!
    }

    /// Gives up what is known.
    func forget() {
        names = NameCache()
        knownGeneration = nil
        mayHaveProgress = true
        searchStarts = [:]
    }

    func integer(_ query: Query) throws -> Int64 {
        let statement = try statement(query)
        return try statement.first { statement.integer(0) } ?? 0
    }

    // MARK: Named values

    private static let generationName = "generation"
    /// Keeps the texts of the bridge apart from the store's own.
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

    /// Writes something that was not there before: SQLite leaves the medium alone where nothing changes.
    func writeProbe() throws {
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
    /// - Throws: ``StoreDamage`` when the row is not as it was written.
    func demandSound(_ table: String) throws {
        guard isSound else { throw StoreDamage(detail: "a row of the table \(table) was changed from outside") }
    }
}
