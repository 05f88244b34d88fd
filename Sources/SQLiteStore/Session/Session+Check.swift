import GRDB
import MessageStore

extension Session {
    /// The most problems that `integrity_check` lists.
    private static let limit = 100

    /// Runs a check. Returns a sentence for each problem, without payloads; some 100 at most.
    ///
    /// - Parameter files: The files of the database.
    func problems(_ check: SQLiteStoreOptions.CheckAtStart, _ files: StoreFiles) throws -> [String] {
        var problems = try Schema.problems(database)
        let pages = Int(try integer(.pageCount))
        let missing = try StoreTail(of: database, files).pagesMissing(of: pages)
        if missing > 0 { problems.append("the file is cut short: \(missing) of \(pages) pages are missing") }
        if check == .full {
            let sql = "PRAGMA integrity_check(\(Self.limit))"
            problems += try String.fetchAll(database, sql: sql).filter { $0 != "ok" }
        }
        guard problems.isEmpty else { return problems }
        for (query, table) in check == .full ? Query.everyRow : Query.newestRows {
            let statement = try statement(query)
            var damaged = 0
            try statement.forEachRow {
                if !statement.isSound { damaged += 1 }
                return true
            }
            if damaged > 0 { problems.append("\(damaged) rows of the table \(table) were changed from outside") }
        }
        return problems
    }
}
