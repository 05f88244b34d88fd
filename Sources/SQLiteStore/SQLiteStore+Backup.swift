import GRDB
public import MessageStore

extension SQLiteStore {
    /// Writes a copy of the store to a new file while the owner, in this process or another, keeps working.
    ///
    /// The copy is a store itself and a snapshot of one moment during this call. Its mode is 0600. Before this returns,
    /// the copy passes a full check, and its content and name are synced. It has no free pages, and so no remains of
    /// removed messages.
    ///
    /// Commits do not wait for it. Meanwhile the write-ahead log grows, since a checkpoint cannot pass the snapshot;
    /// afterwards it shrinks again.
    ///
    /// - Parameter path: The file, which must not exist. Until it is complete, its name is `PATH.partial`.
    /// - Throws: `.exists` if the file exists; `.full` if there is no space for it; `.damaged` if the store is damaged;
    ///   `.busy` if another process writes the same backup; errors of the medium. No file remains after an error.
    public func backup(to path: String) throws(StoreError) {
        try backup(to: path, calls: SystemFileCalls())
    }

    /// As ``backup(to:)``, with replaceable system calls.
    package func backup(to target: String, calls: any FileCalls) throws(StoreError) {
        let operation = "back up the store \(path) to \(target)"
        let file = try BackupFile(target, operation, calls: calls)
        do {
            // A separate connection: it reads in its own transaction and does not block commits.
            let source = try DatabaseQueue(path: path, configuration: Self.configuration)
            try source.writeWithoutTransaction { try $0.execute(sql: "VACUUM INTO ?", arguments: [file.partial]) }
            try source.close()
            try refuseUnsound(file.partial)
        } catch {
            throw StoreError(error, operation: operation, path: Self.isAboutSource(error) ? path : target)
        }
        try file.complete()
    }

    private func refuseUnsound(_ copy: String) throws {
        let queue = try DatabaseQueue(path: copy, configuration: Self.configuration)
        let problems = try queue.writeWithoutTransaction { database in
            let session = try Session(database)
            return try session.snapshot { try session.problems(.full, StoreFiles(copy)) }
        }
        try queue.close()
        try Self.refuse(problems)
    }

    /// Whether an error concerns the store. Damage always does, since the copy is new.
    private static func isAboutSource(_ error: any Error) -> Bool {
        guard let code = (error as? DatabaseError)?.resultCode else { return error is StoreDamage }
        return [.SQLITE_CORRUPT, .SQLITE_NOTADB, .SQLITE_BUSY].contains(code)
    }
}
