import MessageStore

import Glibc

/// A new file that gets its name when it is complete. Until then its name is `NAME.partial`; `deinit` removes that
/// name.
///
/// The writer holds an flock(2) lock on the partial file, which ends with the process. A partial file without a lock is
/// left over from a killed process and is replaced.
struct BackupFile: ~Copyable {
    /// The path of the partial file.
    let partial: String
    private let files: StoreFiles
    private let operation: String
    private let descriptor: Int32

    /// Creates and locks the empty partial file.
    ///
    /// - Throws: `.exists` if the target exists; `.busy` if another process writes the partial file; `.foreign` if the
    ///   partial file is no partial backup; errors of the system.
    init(_ path: String, _ operation: String, calls: any FileCalls) throws(StoreError) {
        descriptor = try Self.makeEmpty(path, operation, calls)
        (files, partial, self.operation) = (StoreFiles(path, calls: calls), path + Self.suffix, operation)
    }

    private static let suffix = ".partial"

    private static func makeEmpty(_ path: String, _ operation: String, _ calls: any FileCalls) throws(StoreError)
        -> Int32
    {
        guard !path.isEmpty else {
            throw StoreError(.notPermitted, operation: operation, detail: "the path is empty", advice: "Name a file.")
        }
        var status = stat()
        guard lstat(path, &status) != 0 else { throw exists(path, operation) }
        let partial = path + suffix
        var descriptor = calls.create(partial)
        if descriptor < 0, errno == EEXIST {
            try removeLeft(partial, operation, calls)
            descriptor = calls.create(partial)
        }
        guard descriptor >= 0 else { throw StoreError(system: errno, operation: "create \(partial)") }
        // Another process may have mistaken the new file for a left-over and locked or removed it.
        guard takes(descriptor, partial) else {
            calls.close(descriptor)
            throw underWay(partial, operation)
        }
        guard fchmod(descriptor, 0o600) == 0 else {
            let code = errno
            remove(partial, calls)
            calls.close(descriptor)
            throw StoreError(system: code, operation: "take rights from others on \(partial)")
        }
        removeJournal(partial, calls)
        return descriptor
    }

    private static func remove(_ partial: String, _ calls: any FileCalls) {
        removeJournal(partial, calls)
        _ = calls.remove(partial)
    }

    /// Removes the rollback journal that SQLite leaves beside an incomplete file. SQLite would apply it to the next
    /// file of that name.
    private static func removeJournal(_ partial: String, _ calls: any FileCalls) {
        _ = calls.remove(partial + "-journal")
    }

    deinit {
        // After `complete()`, the partial name may belong to another process.
        if Self.isNamed(descriptor, partial) { Self.remove(partial, files.calls) }
        files.calls.close(descriptor)
    }

    /// Syncs the content, links the final name, and syncs the folder.
    ///
    /// - Throws: `.exists` if the target was created meanwhile; errors of the medium. After an error this file does not
    ///   have the final name.
    consuming func complete() throws(StoreError) {
        let calls = files.calls
        guard calls.synchronize(descriptor) == 0 else {
            throw StoreError(system: errno, operation: "write \(partial)")
        }
        // Unlike rename(2), link(2) replaces no file.
        guard calls.link(partial, to: files.path) == 0 else {
            if errno == EEXIST { throw Self.exists(files.path, operation) }
            throw StoreError(system: errno, operation: "name \(files.path)")
        }
        _ = calls.remove(partial)
        guard calls.synchronizeFolder(files.folder) == 0 else {
            let code = errno
            _ = calls.remove(files.path)
            throw StoreError(system: code, operation: "write the folder \(files.folder)")
        }
    }

    private static func removeLeft(_ partial: String, _ operation: String, _ calls: any FileCalls) throws(StoreError) {
        let descriptor = open(partial, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
        guard descriptor >= 0 else { throw StoreError(system: errno, operation: "open \(partial)") }
        defer { calls.close(descriptor) }
        guard takes(descriptor, partial) else { throw underWay(partial, operation) }
        var start = [UInt8](repeating: 0, count: 16)
        let count = max(0, pread(descriptor, &start, start.count, 0))
        guard start.prefix(count).allSatisfy({ $0 == 0 }) || "SQLite format 3\0".utf8.elementsEqual(start) else {
            let advice = "Name another file. Nothing was changed."
            let detail = "\(partial) is not an incomplete backup"
            throw StoreError(.foreign, operation: operation, detail: detail, advice: advice)
        }
        remove(partial, calls)
    }

    /// Locks the file. Returns false if another process holds the lock or the path names another file.
    private static func takes(_ descriptor: Int32, _ path: String) -> Bool {
        flock(descriptor, LOCK_EX | LOCK_NB) == 0 && isNamed(descriptor, path)
    }

    private static func isNamed(_ descriptor: Int32, _ path: String) -> Bool {
        var (own, named) = (stat(), stat())
        guard fstat(descriptor, &own) == 0, lstat(path, &named) == 0 else { return false }
        return own.st_ino == named.st_ino && own.st_dev == named.st_dev
    }

    private static func exists(_ path: String, _ operation: String) -> StoreError {
        StoreError(.exists, operation: operation, detail: path, advice: "Name a file that does not exist yet.")
    }

    private static func underWay(_ partial: String, _ operation: String) -> StoreError {
        StoreError(
            .busy,
            operation: operation,
            detail: "another process writes \(partial)",
            advice: "Name another file."
        )
    }
}
