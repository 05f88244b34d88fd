import GRDB
import MessageStore

extension Session {
    /// How many problems are listed.
    private static let limit = 100

    /// Reads everything. What is wrong, in sentences without payloads; at most 100.
    func problems() throws -> [String] {
        var problems = try String.fetchAll(database, sql: "PRAGMA integrity_check(\(Self.limit))").filter { $0 != "ok" }
        if try Schema.definitions(database) != Schema.expectedDefinitions() {
            problems.append("the tables are not those of a store")
        }
        guard problems.isEmpty else { return problems }
        for query in Query.everyRow {
            let statement = try statement(query)
            var damaged = 0
            try statement.forEachRow {
                if !statement.isSound { damaged += 1 }
                return true
            }
            if damaged > 0 { problems.append("\(damaged) rows of the table \(query.table) were changed from outside") }
        }
        return problems
    }
}

extension Query {
    fileprivate var table: String {
        switch self {
        case .everyName: "names"
        case .everyEnvelope: "envelopes"
        case .everyState: "state"
        case .everyInbound: "inbound"
        case .everyOutbound: "outbound"
        case .everyProgress: "progress"
        case .everySeen: "seen"
        default: "letters"
        }
    }
}
