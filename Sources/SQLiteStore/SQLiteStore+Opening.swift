import GRDB
public import MessageStore

extension SQLiteStore {
    /// Opens a store as its only owner, and makes it if it is missing.
    ///
    /// The folder is made for this user alone (0700), and so are the files (0600), whatever the umask. Everything is
    /// read once and checked, which takes a few seconds for each GB. The lock beside the file, `PATH.lock`, is
    /// held until ``close()``, and not longer than the process lives.
    ///
    /// - Returns: The store, and where a damaged one was moved, if so.
    /// - Throws: `.inUse` naming the process that has it open; `.damaged` with the path; `.newer`; `.notPermitted` also
    ///   when every user may write to the folder; what the medium says.
    public static func open(_ options: SQLiteStoreOptions) throws(StoreError)
        -> (store: SQLiteStore, movedAside: String?)
    {
        let files = StoreFiles(options.path)
        try files.prepareFolder()
        let lock = try StoreLock(for: options.path)
        let operation = "open the store \(options.path)"
        do throws(StoreError) {
            if files.isLogAlone {
                let detail = "there is a log, but not the file that it belongs to"
                throw .damaged(options.path, operation: operation, detail: detail)
            }
            if !files.exists { try create(files) }
            return (try openExisting(options, files, lock), nil)
        } catch  where error.code == .damaged && options.whenDamaged == .moveAside {
            let name = files.nameForDamaged()
            try files.move(to: name)
            try create(files)
            return (try openExisting(options, files, lock), name)
        }
    }

    /// Opens a store beside the process that owns it: to read, to check, and to deal with dead letters.
    ///
    /// It takes no lock and checks nothing but that it is a store. Not for ``recover()`` and ``commit(_:)``.
    ///
    /// - Throws: `.missing` when there is none; `.damaged`; `.newer`; what the medium says.
    public static func openForOperator(path: String) throws(StoreError) -> SQLiteStore {
        let operation = "open the store \(path)"
        let files = StoreFiles(path)
        guard files.exists else {
            let advice = "Name the path that the bridge uses. The bridge makes the store when it starts."
            throw StoreError(.missing, operation: operation, advice: advice)
        }
        return try openChecked(operation, files, lock: nil) { database in
            try database.execute(sql: "PRAGMA synchronous = FULL")
        }
    }

    /// Makes a whole store under another name first: a file under the right name is never half-made.
    private static func create(_ files: StoreFiles) throws(StoreError) {
        let operation = "create the store \(files.path)"
        let new = StoreFiles(files.path + ".new")
        try new.createEmpty()
        do {
            let queue = try DatabaseQueue(path: new.path, configuration: configuration)
            try queue.writeWithoutTransaction { database in
                try database.execute(sql: "PRAGMA synchronous = FULL")
                try useLog(database, operation)
                try Schema.migrate(database)
                try database.checkpoint(.truncate)
            }
            try queue.close()
        } catch {
            throw StoreError(error, operation: operation, path: new.path)
        }
        try new.move(to: files.path)
    }

    /// So many pages are written to the log before they are written back into the file, and the log begins anew.
    private static let logFrames = 1_000

    private static func openExisting(_ options: SQLiteStoreOptions, _ files: StoreFiles, _ lock: StoreLock)
        throws(StoreError) -> SQLiteStore
    {
        let operation = "open the store \(options.path)"
        // A commit may go some pages beyond the limit.
        files.prepareLog(bytes: (logFrames + 100) * (24 + 4_096), application: Schema.applicationID)
        try files.protect()
        let store = try openChecked(operation, files, lock: lock) { database in
            try database.execute(
                sql: """
                    PRAGMA synchronous = \(options.synchronous == .full ? "FULL" : "NORMAL");
                    PRAGMA wal_autocheckpoint = \(logFrames);
                    PRAGMA journal_size_limit = 33554432
                    """
            )
            try useLog(database, operation)
            if try Schema.isOlder(database) {
                // Before it is changed.
                try refuse(try String.fetchAll(database, sql: "PRAGMA integrity_check(3)").filter { $0 != "ok" })
                try Schema.migrate(database)
            }
            let session = try Session(database)
            try refuse(try session.snapshot { try session.problems() })
        }
        try files.protect()
        return store
    }

    private static func refuse(_ problems: [String]) throws {
        if !problems.isEmpty { throw StoreDamage(detail: problems.prefix(3).joined(separator: "; ")) }
    }

    private static func useLog(_ database: Database, _ operation: String) throws {
        let mode = try String.fetchOne(database, sql: "PRAGMA journal_mode = WAL")
        guard mode == "wal" else {
            let advice = "Choose a path on a local file system."
            let detail = "no write-ahead log is possible there"
            throw StoreError(.other, operation: operation, detail: detail, advice: advice)
        }
    }

    private static func openChecked(
        _ operation: String,
        _ files: StoreFiles,
        lock: StoreLock?,
        _ prepare: (Database) throws -> Void
    ) throws(StoreError) -> SQLiteStore {
        if let damage = try files.obviousDamage() {
            throw .damaged(files.path, operation: operation, detail: damage)
        }
        do {
            let queue = try DatabaseQueue(path: files.path, configuration: configuration)
            try queue.writeWithoutTransaction { database in
                try checkVersion(database, operation)
                try prepare(database)
            }
            return try SQLiteStore(path: files.path, queue: queue, lock: lock)
        } catch {
            throw StoreError(error, operation: operation, path: files.path)
        }
    }

    private static func checkVersion(_ database: Database, _ operation: String) throws {
        let application = try Int64.fetchOne(database, sql: "PRAGMA application_id") ?? 0
        let version = try Int64.fetchOne(database, sql: "PRAGMA user_version") ?? 0
        let isEmpty = try Schema.definitions(database).isEmpty
        guard application == Schema.applicationID || (application == 0 && version == 0 && isEmpty) else {
            throw StoreDamage(detail: "the file is a database, but no store")
        }
        guard version <= Schema.version else {
            let detail = "it has version \(version), this program knows \(Schema.version)"
            let advice = "Use the newer program, or another path."
            throw StoreError(.newer, operation: operation, detail: detail, advice: advice)
        }
    }

    private static var configuration: Configuration {
        var configuration = Configuration()
        configuration.label = "message store"
        configuration.foreignKeysEnabled = false
        configuration.busyMode = .timeout(5)
        configuration.prepareDatabase { database in
            try database.execute(
                sql: """
                    PRAGMA temp_store = MEMORY;
                    PRAGMA cache_size = -4096;
                    PRAGMA cell_size_check = ON;
                    PRAGMA trusted_schema = OFF
                    """
            )
        }
        return configuration
    }
}
