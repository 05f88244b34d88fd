import GRDB

/// The tables and the migrations to them.
///
/// The names of routes, brokers and listeners are normalised to numbers. An inbound row refers to its shared values by
/// the number of an envelope. The texts of an inbound row are one BLOB, its head, since each column costs time for each
/// message. Each row has a checksum, since SQLite has none. Payloads are the last columns, so that other columns can be
/// read without them.
enum Schema {
    /// Marks the file as ours: "MQTB".
    static let applicationID: Int64 = 0x4D51_5442
    /// The page size in bytes. SQLite writes whole pages: with its default of 4,096 bytes a small message in a commit
    /// of its own costs twice as much.
    static let pageSize = 2_048
    /// The current schema version.
    static var version: Int64 { Int64(migrations.count) }

    /// The script at index n migrates from version n to n + 1. A released script never changes.
    private static let migrations = [
        """
        CREATE TABLE names (
            id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, checksum INTEGER NOT NULL
        );
        CREATE TABLE envelopes (
            id INTEGER PRIMARY KEY, route INTEGER NOT NULL, broker INTEGER NOT NULL, listeners TEXT NOT NULL,
            generation INTEGER NOT NULL, checksum INTEGER NOT NULL, UNIQUE (generation, route, broker, listeners)
        );
        CREATE TABLE state (
            name TEXT PRIMARY KEY, value TEXT NOT NULL, checksum INTEGER NOT NULL
        ) WITHOUT ROWID;
        CREATE TABLE inbound (
            sequence INTEGER PRIMARY KEY, envelope INTEGER NOT NULL, size INTEGER NOT NULL, time INTEGER NOT NULL,
            expires INTEGER, checksum INTEGER NOT NULL, head BLOB NOT NULL, payload BLOB NOT NULL
        );
        CREATE INDEX inbound_expires ON inbound (expires) WHERE expires IS NOT NULL;
        CREATE TABLE outbound (
            sequence INTEGER PRIMARY KEY, route INTEGER NOT NULL, broker INTEGER NOT NULL,
            size INTEGER NOT NULL, qos INTEGER NOT NULL, retained INTEGER NOT NULL, time INTEGER NOT NULL,
            expires INTEGER, checksum INTEGER NOT NULL, topic TEXT NOT NULL, event TEXT NOT NULL,
            source TEXT NOT NULL, tag TEXT NOT NULL, details TEXT NOT NULL, payload BLOB NOT NULL
        );
        CREATE INDEX outbound_broker ON outbound (broker, sequence);
        CREATE INDEX outbound_expires ON outbound (expires) WHERE expires IS NOT NULL;
        CREATE TABLE progress (
            sequence INTEGER NOT NULL, listener INTEGER NOT NULL, finished INTEGER NOT NULL,
            attempts INTEGER NOT NULL, checksum INTEGER NOT NULL, PRIMARY KEY (sequence, listener)
        ) WITHOUT ROWID;
        CREATE TABLE seen (
            id INTEGER PRIMARY KEY, time INTEGER NOT NULL, digest INTEGER NOT NULL, checksum INTEGER NOT NULL,
            source TEXT NOT NULL, tag TEXT NOT NULL, event TEXT NOT NULL
        );
        CREATE TABLE letters (
            number INTEGER PRIMARY KEY AUTOINCREMENT, replay INTEGER NOT NULL DEFAULT 0, direction TEXT NOT NULL,
            route TEXT NOT NULL, broker TEXT NOT NULL, topic TEXT NOT NULL, event TEXT NOT NULL,
            source TEXT NOT NULL, tag TEXT NOT NULL, listener TEXT NOT NULL, error TEXT NOT NULL,
            attempts INTEGER NOT NULL, time INTEGER NOT NULL, died INTEGER NOT NULL, qos INTEGER NOT NULL,
            retained INTEGER NOT NULL, checksum INTEGER NOT NULL, details TEXT NOT NULL,
            payload_size INTEGER NOT NULL, size INTEGER NOT NULL, payload BLOB
        );
        CREATE INDEX letters_size ON letters (size);
        CREATE INDEX letters_replay ON letters (number) WHERE replay = 1;
        """
    ]

    /// Whether a database is empty or has an earlier version.
    static func isOlder(_ database: Database) throws -> Bool {
        try Int64.fetchOne(database, sql: "PRAGMA user_version") ?? 0 < version
    }

    /// Migrates an empty or older database to the current version.
    static func migrate(_ database: Database) throws {
        let found = try Int64.fetchOne(database, sql: "PRAGMA user_version") ?? 0
        guard found < version else { return }
        try database.inTransaction(.immediate) {
            for script in migrations[Int(max(0, found))...] { try database.execute(sql: script) }
            try database.execute(sql: "PRAGMA application_id = \(applicationID); PRAGMA user_version = \(version)")
            return .commit
        }
    }

    /// Lists missing tables and columns, and columns with another place in the primary key, as sentences.
    ///
    /// It ignores the text of definitions and additional objects: a later SQLite may format a definition differently,
    /// and a user may add an index.
    static func problems(_ database: Database) throws -> [String] {
        try expectedTables.get().flatMap { name, expected in
            let columns = try columns(of: name, database)
            if columns.isEmpty { return ["the table \(name) is missing"] }
            return expected.sorted { $0.key < $1.key }.compactMap { column, place in
                guard let found = columns[column] else { return "the column \(column) of the table \(name) is missing" }
                // INSERT OR REPLACE and lookups depend on the key.
                return found == place
                    ? nil : "the column \(column) of the table \(name) is not part of its key as it must be"
            }
        }
    }

    /// Returns the columns of a table with their place in the primary key, from 1; 0 for columns outside the key.
    private static func columns(of table: String, _ database: Database) throws -> [String: Int] {
        let rows = try Row.fetchAll(database, sql: "SELECT name, pk FROM pragma_table_info(?)", arguments: [table])
        return Dictionary(rows.map { ($0["name"], $0["pk"]) }) { first, _ in first }
    }

    /// The tables of a new store.
    private static let expectedTables = Result {
        let model = try DatabaseQueue()
        return try model.writeWithoutTransaction { database in
            try migrate(database)
            let sql = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name"
            return try String.fetchAll(database, sql: sql).map { ($0, try columns(of: $0, database)) }
        }
    }
}
