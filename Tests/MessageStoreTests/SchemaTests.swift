import GRDB
import MessageStore
import SQLiteStore
import StoreTesting
import TestSupport
import Testing

@Suite("The tables of a store")
struct SchemaTests {
    private let folder = try! TemporaryDirectory()
    private var path: String { folder.file("store.db") }

    init() throws {
        let store = try SQLiteStore.open(.init(path: path))
        defer { store.close() }
        try store.commit(
            .with { batch in
                batch.arrivals = [.sample(1)]
                batch.departures = [.sample(2)]
                batch.deadLetters = [.sample(1)]
            }
        )
    }

    /// Changes the file as somebody with a shell does.
    private func execute(_ sql: String) throws {
        let queue = try DatabaseQueue(path: path)
        try queue.writeWithoutTransaction { try $0.execute(sql: sql) }
        try queue.close()
    }

    /// Changes the text of definitions, and nothing else.
    private func reword(_ table: String, _ text: String, _ newText: String) throws {
        try execute(
            """
            PRAGMA writable_schema = ON;
            UPDATE sqlite_schema SET sql = replace(sql, '\(text)', '\(newText)') WHERE name = '\(table)';
            PRAGMA writable_schema = OFF;
            """
        )
    }

    @Test("what a user adds is no damage, and stays")
    func additions() throws {
        try execute(
            """
            CREATE INDEX by_topic ON outbound (topic);
            CREATE TABLE notes (text TEXT);
            CREATE VIEW waiting AS SELECT count(*) FROM inbound;
            ALTER TABLE letters ADD COLUMN remark TEXT;
            ANALYZE;
            """
        )
        let store = try SQLiteStore.open(.init(path: path))
        defer { store.close() }
        #expect(try store.check() == [])
        try store.commit(
            .with { batch in
                batch.departures = [.sample(3)]
                batch.deadLetters = [.sample(2)]
                batch.finished = [1]
            }
        )
        #expect(try store.outbound(to: "main", after: 0, limit: 9, bytes: .max) == [.sample(2), .sample(3)])
        #expect(try store.deadLetters(.all, limit: 9).count == 2 && store.check() == [])
    }

    @Test("the same tables in other words are the same tables")
    func wording() throws {
        let before = try contents()
        try reword("inbound", "CREATE TABLE inbound (", "create  table \"inbound\"(")
        try reword("outbound_broker", "outbound (broker, sequence)", "outbound(broker ASC,sequence)")
        #expect(try contents() == before)
    }

    private func contents() throws -> StoreContents {
        let store = try SQLiteStore.open(.init(path: path))
        defer { store.close() }
        #expect(try store.check() == [])
        return try StoreContents(of: store)
    }

    @Test(
        "a table or a column that is missing is damage, and the message names it",
        arguments: [
            ("DROP TABLE seen", "the table seen is missing"),
            ("ALTER TABLE inbound RENAME COLUMN head TO h", "the column head of the table inbound is missing"),
            (
                "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = replace(sql, 'PRIMARY KEY', 'NOT NULL') "
                    + "WHERE name = 'inbound'",
                "the column sequence of the table inbound is not part of its key as it must be"
            ),
        ]
    )
    func missing(_ sql: String, _ problem: String) throws {
        try execute(sql)
        for check in SQLiteStoreOptions.CheckAtStart.allCases {
            let error = #expect(throws: StoreError.self) {
                try SQLiteStore.open(.init(path: path, checkAtStart: check))
            }
            #expect(error?.code == .damaged && error?.detail.hasPrefix(problem) == true)
        }
        let beside = try SQLiteStore.openForOperator(path: path)
        defer { beside.close() }
        #expect(try beside.check().contains(problem))
        let store = try SQLiteStore.open(.init(path: path, onCorrupt: .moveAside))
        defer { store.close() }
        #expect(store.movedAside != nil)
    }

    @Test("a header without a version is damage")
    func noVersion() throws {
        try execute("PRAGMA user_version = 0")
        let error = #expect(throws: StoreError.self) { try SQLiteStore.open(.init(path: path)) }
        #expect(error?.code == .damaged)
    }
}
