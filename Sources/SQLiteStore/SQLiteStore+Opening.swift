import GRDB
public import MessageStore

extension SQLiteStore {
    /// Opens a store as its only owner and creates it if it is missing.
    ///
    /// A new folder has mode 0700 and the files have mode 0600, whatever the umask. ``SQLiteStoreOptions/checkAtStart``
    /// selects the check of an existing store, and ``startCheck`` reports it. The lock file `PATH.lock` is locked until
    /// ``close()`` or the end of the process.
    ///
    /// - Returns: The store; ``movedAside`` is the new path of a damaged store that was moved aside.
    /// - Throws: `.inUse` with the process that has it open; `.damaged` with the path; `.newer`; `.foreign` for a file
    ///   that never was a store; `.notPermitted` for a path that is no regular file of this user or lies in a
    ///   world-writable folder; errors of the medium. Foreign and forbidden files stay unchanged, even if damaged
    ///   stores are moved aside.
    public static func open(_ options: SQLiteStoreOptions) throws(StoreError) -> SQLiteStore {
        try open(options, calls: SystemFileCalls())
    }

    /// As ``open(_:)-(SQLiteStoreOptions)`` with default options.
    public static func open(_ path: String) throws(StoreError) -> SQLiteStore {
        try open(SQLiteStoreOptions(path: path))
    }

    /// As ``open(_:)-(SQLiteStoreOptions)``, with replaceable system calls.
    package static func open(_ options: SQLiteStoreOptions, calls: any FileCalls) throws(StoreError) -> SQLiteStore {
        let files = StoreFiles(options.path, calls: calls)
        _ = try files.look(asOwner: true)
        try files.prepareFolder()
        let lock = try StoreLock(for: options.path)
        do throws(StoreError) {
            // Again under the lock, since another process may have created or damaged it meanwhile.
            switch try files.look(asOwner: true, isLocked: true) {
            case .nothing: try create(files, calls)
            case .store: break
            case .damaged(let detail):
                throw .damaged(options.path, operation: "open the store \(options.path)", detail: detail)
            }
            return try openExisting(options, files, lock)
        } catch  where error.code == .damaged && options.onCorrupt == .moveAside {
            let name = files.nameForDamaged()
            try files.move(to: name)
            try create(files, calls)
            return try openExisting(options, files, lock, movedAside: name)
        }
    }

    /// Returns the reason why ``open(_:)-(SQLiteStoreOptions)`` cannot use a path; nil if there is none. Changes nothing.
    ///
    /// It checks neither the content of a store nor whether a process uses it.
    public static func obstacle(at path: String) -> StoreError? {
        do throws(StoreError) {
            guard case .damaged(let detail) = try StoreFiles(path).look(asOwner: true) else { return nil }
            return .damaged(path, operation: "use \(path) as a store", detail: detail)
        } catch {
            return error
        }
    }

    /// Opens a store concurrently with its owner, to read it, to check it, and to replay or drop dead letters.
    ///
    /// It takes no lock, and it only checks that the file is a store. ``recover()`` and ``commit(_:)`` are not allowed
    /// on it.
    ///
    /// - Throws: `.missing` if there is no store; `.damaged`; `.foreign`; `.newer`; errors of the medium.
    public static func openForOperator(path: String) throws(StoreError) -> SQLiteStore {
        let operation = "open the store \(path)"
        let files = StoreFiles(path)
        try demandStore(files.look(asOwner: false), files, operation)
        return try open(operation, files, lock: nil) { database in
            try database.execute(sql: "PRAGMA synchronous = FULL")
        }
    }

    /// Opens an existing store as its only owner, while no bridge uses it, to ``compact()`` it and to drop messages.
    ///
    /// It checks the store as ``open(_:)-(SQLiteStoreOptions)`` does with default options. It does not create a missing store.
    ///
    /// - Throws: `.inUse` with the process that has it open; `.missing` if there is no store; otherwise as
    ///   ``open(_:)-(SQLiteStoreOptions)``.
    public static func openForMaintenance(path: String) throws(StoreError) -> SQLiteStore {
        let operation = "open the store \(path)"
        let files = StoreFiles(path)
        // Before the lock file is created: there must be none beside a file that is no store.
        try demandStore(files.look(asOwner: true), files, operation)
        let lock = try StoreLock(for: path)
        try demandStore(files.look(asOwner: true, isLocked: true), files, operation)
        return try openExisting(SQLiteStoreOptions(path: path), files, lock)
    }

    private static func demandStore(
        _ finding: StoreFiles.Finding,
        _ files: StoreFiles,
        _ operation: String
    ) throws(StoreError) {
        switch finding {
        case .nothing:
            let advice = "Name the path that the bridge uses. The bridge makes the store when it starts."
            throw StoreError(.missing, operation: operation, advice: advice)
        case .store: break
        case .damaged(let detail): throw .damaged(files.path, operation: operation, detail: detail)
        }
    }

    /// Creates a complete store under a temporary name and renames it: a file with the final name is never incomplete.
    private static func create(_ files: StoreFiles, _ calls: any FileCalls) throws(StoreError) {
        let operation = "create the store \(files.path)"
        let new = StoreFiles(files.path + ".new", calls: calls)
        try new.createEmpty()
        do {
            let queue = try DatabaseQueue(path: new.path, configuration: configuration)
            try queue.writeWithoutTransaction { database in
                // On the empty database: a later change needs a VACUUM.
                try database.execute(
                    sql: """
                        PRAGMA page_size = \(Schema.pageSize);
                        PRAGMA auto_vacuum = INCREMENTAL;
                        PRAGMA synchronous = FULL
                        """
                )
                try useLog(database, operation)
                try Schema.migrate(database)
                try database.checkpoint(.truncate)
            }
            try queue.close()
        } catch {
            throw StoreError(error, operation: operation, path: new.path)
        }
        // Before the store has its name: a process that finds a store does not sync these folders again.
        try files.synchronizeFoldersAbove()
        try new.move(to: files.path)
    }

    private static func openExisting(
        _ options: SQLiteStoreOptions,
        _ files: StoreFiles,
        _ lock: StoreLock,
        movedAside: String? = nil
    ) throws(StoreError) -> SQLiteStore {
        let operation = "open the store \(options.path)"
        try files.keepName()
        let reserve = StoreReserve(beside: files, logFrames: options.logFrames)
        let hasRoom = files.prepareLog(bytes: reserve.logBytes) && reserve.leavesRoomForIndex
        let gaveUp = !hasRoom && reserve.giveUp()
        if gaveUp { _ = files.prepareLog(bytes: reserve.logBytes) }
        try files.protect()
        let kind = lock.isSuspect ? .full : options.checkAtStart
        let check = try inspect(operation, files, kind, isAfterDamage: lock.isSuspect)
        let store = try open(operation, files, lock: lock, reserve, check, movedAside: movedAside) { database in
            try database.execute(
                sql: """
                    PRAGMA synchronous = \(options.synchronous == .full ? "FULL" : "NORMAL");
                    PRAGMA wal_autocheckpoint = \(reserve.logFrames);
                    PRAGMA journal_size_limit = 33554432
                    """
            )
            try useLog(database, operation)
            if try Schema.isOlder(database) { try Schema.migrate(database) }
        }
        if kind == .full { lock.isSuspect = false }
        try files.protect()
        // The reserve may also be missing since a process was killed on a full medium. Without it, only the limit keeps the
        // last space of the medium for removals.
        if !reserve.make() { store.freeze() }
        return store
    }

    /// Checks a store on a connection that writes nothing.
    ///
    /// A connection that may write checkpoints the log when it closes. That restores the length of a truncated file, and
    /// so hides the damage from the next check.
    private static func inspect(
        _ operation: String,
        _ files: StoreFiles,
        _ kind: SQLiteStoreOptions.CheckAtStart,
        isAfterDamage: Bool
    ) throws(StoreError) -> StartCheck {
        do {
            var configuration = configuration
            configuration.readonly = true
            let queue = try DatabaseQueue(path: files.path, configuration: configuration)
            defer { try? queue.close() }
            return try queue.unsafeRead { database in
                let start = ContinuousClock.now
                try checkVersion(database, operation)
                if try Schema.isOlder(database) {
                    // Check before the migration changes anything.
                    try refuse(try String.fetchAll(database, sql: "PRAGMA integrity_check(3)").filter { $0 != "ok" })
                } else {
                    let session = try Session(database)
                    try refuse(try session.snapshot { try session.problems(kind, files) })
                }
                return StartCheck(
                    kind: kind,
                    isAfterDamage: isAfterDamage,
                    duration: start.duration(to: .now),
                    bytesRead: database.pagesRead * Schema.pageSize
                )
            }
        } catch {
            throw StoreError(error, operation: operation, path: files.path)
        }
    }

    static func refuse(_ problems: [String]) throws {
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

    private static func open(
        _ operation: String,
        _ files: StoreFiles,
        lock: StoreLock?,
        _ reserve: StoreReserve? = nil,
        _ check: StartCheck? = nil,
        movedAside: String? = nil,
        _ prepare: (Database) throws -> Void
    ) throws(StoreError) -> SQLiteStore {
        do {
            let queue = try DatabaseQueue(path: files.path, configuration: configuration)
            try queue.writeWithoutTransaction { database in
                try checkVersion(database, operation)
                try prepare(database)
            }
            return try SQLiteStore(
                path: files.path,
                queue: queue,
                lock: lock,
                reserve: reserve,
                startCheck: check,
                movedAside: movedAside
            )
        } catch {
            throw StoreError(error, operation: operation, path: files.path)
        }
    }

    private static func checkVersion(_ database: Database, _ operation: String) throws {
        let application = try Int64.fetchOne(database, sql: "PRAGMA application_id") ?? 0
        let version = try Int64.fetchOne(database, sql: "PRAGMA user_version") ?? 0
        guard application == Schema.applicationID else {
            throw StoreDamage(detail: "the file is a database, but no store")
        }
        // A store gets its final name with its tables complete, so version 0 is damage.
        guard version > 0 else { throw StoreDamage(detail: "its header has version \(version)") }
        guard version <= Schema.version else {
            let detail = "it has version \(version), this program knows \(Schema.version)"
            let advice = "Use the newer program, or another path."
            throw StoreError(.newer, operation: operation, detail: detail, advice: advice)
        }
    }

    static var configuration: Configuration {
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
