import MessageStore

import Glibc

/// The files of a store and their folder.
struct StoreFiles {
    let path: String
    let calls: any FileCalls

    init(_ path: String, calls: any FileCalls = SystemFileCalls()) {
        self.path = path
        self.calls = calls
    }

    /// The name suffixes of the database, its write-ahead log, and the index of the log.
    static let suffixes = ["", "-wal", "-shm"]

    var folder: String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    /// The total size of the files, in bytes.
    var size: Int {
        Self.suffixes.reduce(0) { $0 + Int(Self.status(path + $1)?.st_size ?? 0) }
    }

    /// Creates the folder with mode 0700 if it is missing.
    func prepareFolder() throws(StoreError) {
        if Self.status(folder) == nil { try makeFolder(folder) }
    }

    /// Creates a folder and its missing parents.
    private func makeFolder(_ folder: String) throws(StoreError) {
        var part = folder.hasPrefix("/") ? "" : "."
        for name in folder.split(separator: "/") {
            part += "/" + name
            guard calls.makeFolder(part) == 0 || errno == EEXIST else {
                throw StoreError(system: errno, operation: "make the folder \(part)")
            }
        }
    }

    /// Sets the mode of the files to 0600, whatever the umask was.
    func protect() throws(StoreError) {
        for suffix in Self.suffixes {
            guard let status = Self.status(path + suffix), status.st_mode & 0o777 != 0o600 else { continue }
            guard chmod(path + suffix, 0o600) == 0 else {
                throw StoreError(system: errno, operation: "take rights from others on \(path)\(suffix)")
            }
        }
    }

    /// Creates an empty file with mode 0600 and removes any earlier files of the store.
    func createEmpty() throws(StoreError) {
        remove()
        let descriptor = calls.create(path)
        guard descriptor >= 0 else { throw StoreError(system: errno, operation: "create \(path)") }
        defer { calls.close(descriptor) }
        guard fchmod(descriptor, 0o600) == 0 else {
            throw StoreError(system: errno, operation: "take rights from others on \(path)")
        }
    }

    /// Preallocates the write-ahead log of a store without one, with zeros.
    ///
    /// A commit that extends a file makes the medium write its content and its length, which takes up to twice as long.
    /// SQLite treats the zeros as a log without content (3.40, wal.c, `walIndexRecover`) and overwrites them. An
    /// existing log is left unchanged, since another process may use it. Without space for `bytes`, the log grows on
    /// demand.
    ///
    /// - Returns: Whether there is a log.
    func prepareLog(bytes: Int) -> Bool {
        let (log, new) = (path + "-wal", path + "-wal.new")
        // Left over from a process that did not finish this.
        _ = calls.remove(new)
        guard Self.status(log) == nil else { return true }
        defer { _ = calls.remove(new) }
        // Unlike rename(2), link(2) fails if another process created a log meanwhile.
        return writeZeros(to: new, bytes: bytes) && calls.link(new, to: log) == 0
    }

    /// Creates and syncs a file of zeros in place of an earlier file. On failure, removes the file and returns false.
    func writeZeros(to path: String, bytes: Int) -> Bool {
        _ = calls.remove(path)
        let descriptor = calls.create(path)
        guard descriptor >= 0 else { return false }
        defer { calls.close(descriptor) }
        let zeros = [UInt8](repeating: 0, count: 65_536)
        var written = 0
        while written < bytes {
            let count = calls.write(zeros, count: min(zeros.count, bytes - written), to: descriptor)
            guard count > 0 else { break }
            written += count
        }
        guard written >= bytes, calls.synchronize(descriptor) == 0 else {
            _ = calls.remove(path)
            return false
        }
        return true
    }

    /// Removes the existing files.
    func remove() {
        for suffix in Self.suffixes { _ = calls.remove(path + suffix) }
    }

    /// Renames the existing files and syncs the folder.
    func move(to newPath: String) throws(StoreError) {
        for suffix in Self.suffixes where calls.rename(path + suffix, to: newPath + suffix) != 0 && errno != ENOENT {
            throw StoreError(system: errno, operation: "rename \(path)\(suffix) to \(newPath)\(suffix)")
        }
        try synchronizeFolder()
    }

    /// Returns an unused name for damaged files: `PATH.damaged-YYYYMMDD-HHMMSS` in UTC, with `-2`, `-3` … for repetitions.
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
        guard calls.synchronizeFolder(folder) == 0 else {
            throw StoreError(system: errno, operation: "write the folder \(folder)")
        }
    }

    /// Syncs the name of a store that has no log yet. Its creator may have been killed before it did so, and a log
    /// without its store counts as damage.
    func keepName() throws(StoreError) {
        if Self.status(path + "-wal") == nil { try synchronizeFolder() }
    }

    /// Syncs all parents of the folder: any of them may be new, possibly from an earlier process that did not finish.
    ///
    /// - Throws: Input/output errors only. A folder that this user may not sync was not created by this user.
    func synchronizeFoldersAbove() throws(StoreError) {
        var folder = folder
        while folder != "/", folder != "." {
            folder = StoreFiles(folder, calls: calls).folder
            guard calls.synchronizeFolder(folder) != 0, errno == EIO else { continue }
            throw StoreError(system: EIO, operation: "write the folder \(folder)")
        }
    }

    static func status(_ path: String) -> stat? {
        var result = stat()
        return stat(path, &result) == 0 ? result : nil
    }
}
