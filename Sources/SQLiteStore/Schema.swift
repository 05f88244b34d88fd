import GRDB

/// The tables, and how older ones become these.
///
/// Names of routes, brokers and listeners, which repeat, are numbers in the rows; what an inbound row has in common with
/// most others is one number, its envelope. The texts of an inbound row are one value, its head: each column costs time
/// with each message. Each row ends with a checksum of what it is about, since SQLite has none of its own. Payloads come
/// last, where what is in front of them is read without them.
enum Schema {
    /// Marks the file as ours: "MQTB".
    static let applicationID: Int64 = 0x4D51_5442
    /// The version that this program writes.
    static var version: Int64 { Int64(migrations.count) }

    /// The script at index n leads from version n to n + 1. Never changed once released.
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
            id INTEGER PRIMARY KEY, time INTEGER NOT NULL, checksum INTEGER NOT NULL,
            source TEXT NOT NULL, tag TEXT NOT NULL, event TEXT NOT NULL
        );
        CREATE TABLE letters (
            number INTEGER PRIMARY KEY AUTOINCREMENT, replay INTEGER NOT NULL DEFAULT 0, direction TEXT NOT NULL,
            route TEXT NOT NULL, broker TEXT NOT NULL, topic TEXT NOT NULL, event TEXT NOT NULL,
            source TEXT NOT NULL, tag TEXT NOT NULL, listener TEXT NOT NULL, error TEXT NOT NULL,
            attempts INTEGER NOT NULL, time INTEGER NOT NULL, died INTEGER NOT NULL, qos INTEGER NOT NULL,
            retained INTEGER NOT NULL, checksum INTEGER NOT NULL, details TEXT NOT NULL,
            payload_size INTEGER NOT NULL, payload BLOB
        );
        CREATE INDEX letters_replay ON letters (number) WHERE replay = 1;
        """
    ]

    /// Whether a database is of an earlier version, or empty.
    static func isOlder(_ database: Database) throws -> Bool {
        try Int64.fetchOne(database, sql: "PRAGMA user_version") ?? 0 < version
    }

    /// Brings an empty or an older database up to this version.
    static func migrate(_ database: Database) throws {
        let found = try Int64.fetchOne(database, sql: "PRAGMA user_version") ?? 0
        guard found < version else { return }
        try database.inTransaction(.immediate) {
            for script in migrations[Int(max(0, found))...] { try database.execute(sql: script) }
            try database.execute(sql: "PRAGMA application_id = \(applicationID); PRAGMA user_version = \(version)")
            return .commit
        }
    }

    /// The definitions of everything in a database, in an order that does not depend on its history.
    static func definitions(_ database: Database) throws -> [String] {
        try String.fetchAll(
            database,
            sql: """
                SELECT type || ' ' || name || ' ' || tbl_name || ' ' || coalesce(sql, '') FROM sqlite_schema
                WHERE name NOT LIKE 'sqlite_stat%' ORDER BY 1
                """
        )
    }

    /// The definitions as they must be.
    static func expectedDefinitions() throws -> [String] {
        let model = try DatabaseQueue()
        return try model.writeWithoutTransaction { database in
            try migrate(database)
            return try definitions(database)
        }
    }
}
