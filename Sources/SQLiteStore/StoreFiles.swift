import MessageStore

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// The files of a store, and the folder that they are in.
struct StoreFiles {
    let path: String

    init(_ path: String) {
        self.path = path
    }

    /// Ends of the names of the files that belong together: the database, its log, the index of the log.
    private static let suffixes = ["", "-wal", "-shm"]

    var folder: String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    /// Whether the database is there; anything under its name counts.
    var exists: Bool { Self.status(path) != nil }

    /// What the files take, in bytes.
    var size: Int {
        Self.suffixes.reduce(0) { $0 + Int(Self.status(path + $1)?.st_size ?? 0) }
    }

    /// Makes the folder if it is missing, for this user alone.
    ///
    /// - Throws: `.notPermitted` when any user may write there, since anyone could then exchange the files.
    func prepareFolder() throws(StoreError) {
        let operation = "use the folder \(folder)"
        if Self.status(folder) == nil { try Self.makeFolder(folder) }
        guard let status = Self.status(folder) else { throw StoreError(system: errno, operation: operation) }
        guard status.st_mode & S_IFMT == S_IFDIR else {
            throw StoreError(.notPermitted, operation: operation, detail: "it is no folder")
        }
        guard status.st_mode & S_IWOTH == 0 else {
            let advice = "Choose a folder of the store's own, or take that right away: chmod o-w \(folder)"
            throw StoreError(.notPermitted, operation: operation, detail: "every user may write there", advice: advice)
        }
    }

    /// Makes a folder and those above it that are missing.
    private static func makeFolder(_ folder: String) throws(StoreError) {
        var part = folder.hasPrefix("/") ? "" : "."
        for name in folder.split(separator: "/") {
            part += "/" + name
            guard mkdir(part, 0o700) == 0 || errno == EEXIST else {
                throw StoreError(system: errno, operation: "make the folder \(part)")
            }
        }
    }

    /// Takes all rights from other users, whatever umask the files were made with.
    func protect() throws(StoreError) {
        for suffix in Self.suffixes {
            guard let status = Self.status(path + suffix), status.st_mode & 0o777 != 0o600 else { continue }
            guard chmod(path + suffix, 0o600) == 0 else {
                throw StoreError(system: errno, operation: "take rights from others on \(path)\(suffix)")
            }
        }
    }

    /// Makes an empty file that only this user can read, in the place of any other.
    func createEmpty() throws(StoreError) {
        remove()
        let descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw StoreError(system: errno, operation: "create \(path)") }
        defer { _ = close(descriptor) }
        guard fchmod(descriptor, 0o600) == 0 else {
            throw StoreError(system: errno, operation: "take rights from others on \(path)")
        }
    }

    /// Gives a store that has no log one of that many bytes, none of which are anything yet.
    ///
    /// A commit that makes a file longer has the medium write its content and its length, which takes up to twice as
    /// long. SQLite takes what it finds there for a log without content (3.40, wal.c, `walIndexRecover`), and writes
    /// over it. A log that is there is left alone, since another process may use it; where there is no room for one of
    /// that size, it grows as it would. Nor is one made beside what is no store, or no sound one.
    ///
    /// - Parameter application: What says in the header that the file is a store.
    func prepareLog(bytes: Int, application: Int64) {
        guard let header = try? header(), header.count == 100, header[18] == 2,
            header[68..<72].reduce(0, { $0 << 8 | Int64($1) }) == application
        else { return }
        let (log, new) = (path + "-wal", path + "-wal.new")
        guard Self.status(log) == nil else { return }
        _ = unlink(new)
        let descriptor = open(new, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { return }
        defer {
            _ = close(descriptor)
            _ = unlink(new)
        }
        let zeros = [UInt8](repeating: 0, count: 65_536)
        var written = 0
        while written < bytes {
            let count = write(descriptor, zeros, min(zeros.count, bytes - written))
            guard count > 0 else { return }
            written += count
        }
        // Unlike a change of its name, this fails where a log has come up meanwhile.
        if fsync(descriptor) == 0 { _ = link(new, log) }
    }

    /// Removes the files, those that are there.
    func remove() {
        for suffix in Self.suffixes { _ = unlink(path + suffix) }
    }

    /// Gives all files that are there another name, and has the medium keep it.
    func move(to newPath: String) throws(StoreError) {
        for suffix in Self.suffixes where rename(path + suffix, newPath + suffix) != 0 && errno != ENOENT {
            throw StoreError(system: errno, operation: "rename \(path)\(suffix) to \(newPath)\(suffix)")
        }
        try synchronizeFolder()
    }

    /// A name for damaged files that nothing has: `PATH.damaged-YYYYMMDD-HHMMSS`, in universal time.
    func nameForDamaged() -> String {
        var now = time(nil)
        var parts = tm()
        gmtime_r(&now, &parts)
        let numbers = [
            parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec,
        ]
        let digits = numbers.map { $0 < 10 ? "0\($0)" : "\($0)" }
        let name = "\(path).damaged-\(digits[..<3].joined())-\(digits[3...].joined())"
        var candidate = name
        var number = 2
        while Self.suffixes.contains(where: { Self.status(candidate + $0) != nil }) {
            candidate = "\(name)-\(number)"
            number += 1
        }
        return candidate
    }

    private func synchronizeFolder() throws(StoreError) {
        let operation = "write the folder \(folder)"
        let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw StoreError(system: errno, operation: operation) }
        defer { _ = close(descriptor) }
        guard fsync(descriptor) == 0 else { throw StoreError(system: errno, operation: operation) }
    }

    /// What is wrong with the file before SQLite looks at it; nil when nothing is seen.
    ///
    /// SQLite takes an empty file for a new database and deletes the log beside it; ours are never empty, since they
    /// get their name when they are whole.
    func obviousDamage() throws(StoreError) -> String? {
        let header = try header()
        if header.isEmpty { return "the file is empty" }
        if header.count < 100 { return "the file is cut short" }
        guard header.starts(with: Array("SQLite format 3\0".utf8)) else { return "the file is no SQLite database" }
        // Otherwise SQLite would open it for reading only.
        guard header[18] <= 2, header[19] <= 2 else { return "the header of the file is damaged" }
        return nil
    }

    /// The first 100 bytes of the database, as far as they are there.
    private func header() throws(StoreError) -> [UInt8] {
        let operation = "read \(path)"
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else { throw StoreError(system: errno, operation: operation) }
        defer { _ = close(descriptor) }
        var header = [UInt8](repeating: 0, count: 100)
        let count = pread(descriptor, &header, header.count, 0)
        guard count >= 0 else { throw StoreError(system: errno, operation: operation) }
        return Array(header.prefix(count))
    }

    /// Whether there is a log without its database.
    var isLogAlone: Bool { !exists && (Self.status(path + "-wal")?.st_size ?? 0) > 0 }

    private static func status(_ path: String) -> stat? {
        var result = stat()
        return stat(path, &result) == 0 ? result : nil
    }

}
