import MessageStore

import Glibc

/// Inspects existing files before any change, so that a file that is no store stays unchanged.
extension StoreFiles {
    /// The result of an inspection.
    enum Finding: Hashable {
        case nothing
        case store
        /// A store whose damage shows without SQLite, with a description.
        case damaged(String)
    }

    /// Inspects the files of the store and changes nothing.
    ///
    /// It does not read the database of a store that a process has open. If that is this process, closing the
    /// descriptor would release SQLite's fcntl(2) locks, and another process could then remove the log while it is in
    /// use.
    ///
    /// - Parameters:
    ///   - asOwner: Whether the caller will write the files, which must belong to this user then.
    ///   - isLocked: Whether the caller holds the lock.
    /// - Throws: `.notPermitted` for a path that is no regular file, belongs to another user, or lies in a
    ///   world-writable folder (the last two only with `asOwner`); `.foreign` for a file that never was a store; errors
    ///   of the system.
    func look(asOwner: Bool, isLocked: Bool = false) throws(StoreError) -> Finding {
        let operation = "use \(path) as a store"
        guard !path.isEmpty else {
            throw StoreError(.notPermitted, operation: operation, detail: "the path is empty", advice: "Name a file.")
        }
        if asOwner { try checkFolder() }
        for suffix in Self.suffixes + [".lock", ".new", "-wal.new", ".reserve"] {
            guard let status = try Self.look(at: path + suffix, operation) else { continue }
            try check(status, path + suffix, operation, asOwner: asOwner)
        }
        if asOwner { try checkOwnNames(operation) }
        if !isLocked, Self.status(path) != nil, StoreLock.isHeld(beside: path) { return .store }
        let log = try start(of: path + "-wal", 32)
        guard let start = try start(of: path, StoreHeader.length) else {
            guard let log, !log.isEmpty else { return .nothing }
            guard Self.isLog(log) || log.allSatisfy({ $0 == 0 }) else {
                throw Self.foreign(operation, "\(path)-wal is not the log of a store")
            }
            return .damaged("there is a log, but the file that it belongs to is missing")
        }
        let lock = try? self.start(of: path + ".lock", 64)
        let isMarked = log.map(Self.isLog) == true || lock.map(StoreLock.isMark) == true
        switch StoreHeader(start).kind(isMarked: isMarked) {
        case .store: return .store
        case .damaged(let detail): return .damaged(detail)
        case .foreign(let detail): throw Self.foreign(operation, detail)
        }
    }

    /// Refuses a world-writable folder, in which any user could exchange the files.
    private func checkFolder() throws(StoreError) {
        let operation = "use the folder \(folder)"
        guard let status = Self.status(folder) else {
            if errno == ENOENT { return }
            throw StoreError(system: errno, operation: operation)
        }
        guard status.st_mode & S_IFMT == S_IFDIR else {
            throw StoreError(.notPermitted, operation: operation, detail: "it is not a folder")
        }
        guard status.st_mode & S_IWOTH == 0 else {
            let advice = "Choose a folder of the store's own, or take that right away: chmod o-w \(folder)"
            throw StoreError(.notPermitted, operation: operation, detail: "every user may write there", advice: advice)
        }
    }

    private static func look(at path: String, _ operation: String) throws(StoreError) -> stat? {
        var result = stat()
        if lstat(path, &result) == 0 { return result }
        if errno == ENOENT { return nil }
        throw StoreError(system: errno, operation: operation)
    }

    private func check(_ status: stat, _ file: String, _ operation: String, asOwner: Bool) throws(StoreError) {
        let kind: String
        switch status.st_mode & S_IFMT {
        case S_IFREG:
            guard asOwner, status.st_uid != geteuid() else { return }
            let detail = "\(file) belongs to user \(status.st_uid), and this process runs as user \(geteuid())"
            let advice = "Run as that user, or give the file to this one: chown \(geteuid()) \(file)"
            throw StoreError(.notPermitted, operation: operation, detail: detail, advice: advice)
        case S_IFDIR:
            let advice = "Name a file in it, as in \(path.hasSuffix("/") ? path : path + "/")store.sqlite"
            throw StoreError(.notPermitted, operation: operation, detail: "\(file) is a folder", advice: advice)
        case S_IFLNK: kind = "a symbolic link"
        case S_IFIFO: kind = "a pipe"
        case S_IFSOCK: kind = "a socket"
        default: kind = "a device"
        }
        let advice = "Name the path of a regular file, or of one that does not exist yet. Nothing was changed."
        throw StoreError(.notPermitted, operation: operation, detail: "\(file) is \(kind)", advice: advice)
    }

    /// Refuses foreign files with names that opening overwrites or removes.
    private func checkOwnNames(_ operation: String) throws(StoreError) {
        if let lock = try start(of: path + ".lock", 64), !StoreLock.isOwn(lock) {
            throw Self.foreign(operation, "\(path).lock is not the lock of a store")
        }
        if let new = try start(of: path + ".new", 16), !new.isEmpty, !new.allSatisfy({ $0 == 0 }),
            !"SQLite format 3\0".utf8.elementsEqual(new)
        {
            throw Self.foreign(operation, "\(path).new is not an incomplete store")
        }
        for name in [path + "-wal.new", path + ".reserve"] {
            // `-wal.new` is a second link to the log if the process ended before it removed that name.
            if let start = try start(of: name, 64), !start.allSatisfy({ $0 == 0 }), !Self.isLog(start) {
                throw Self.foreign(operation, "\(name) was not left by a store")
            }
        }
    }

    private static func foreign(_ operation: String, _ detail: String) -> StoreError {
        let advice = "Name another path. Nothing was changed."
        return StoreError(.foreign, operation: operation, detail: detail, advice: advice)
    }

    /// Whether the bytes begin with the magic number of a write-ahead log (SQLite's file format, section 4.1).
    private static func isLog(_ bytes: [UInt8]) -> Bool {
        bytes.starts(with: [0x37, 0x7F, 0x06, 0x82]) || bytes.starts(with: [0x37, 0x7F, 0x06, 0x83])
    }

    /// Returns the first `length` bytes of a file, or fewer if it is shorter; nil if it does not exist.
    private func start(of path: String, _ length: Int) throws(StoreError) -> [UInt8]? {
        let operation = "read \(path)"
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
        guard descriptor >= 0 else {
            if errno == ENOENT { return nil }
            throw StoreError(system: errno, operation: operation)
        }
        defer { _ = close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: length)
        let count = pread(descriptor, &bytes, length, 0)
        guard count >= 0 else { throw StoreError(system: errno, operation: operation) }
        return Array(bytes.prefix(count))
    }
}
