import GRDB
import MessageStore

/// An error: the medium has no space for the growth of the file, although SQLite has not reported a full medium.
struct NoRoom: Error {}

/// The handling of a full medium and of free pages in the file.
extension Session {
    /// The number of free pages that ``tidy()`` leaves for new messages.
    private static let spare: Int64 = 1_024
    /// The time limit of one ``tidy()``.
    private static let timeLimit: Duration = .milliseconds(50)
    private static let noLimit: Int64 = 4_294_967_294

    /// Deletes the reserve, checkpoints the log so that it can restart, and stops the growth of the file. Returns
    /// whether another attempt may succeed.
    func makeRoom() -> Bool {
        guard let reserve else {
            // An operator leaves the owner's reserve and log size alone.
            return (try? database.checkpoint(.passive)) != nil
        }
        _ = reserve.giveUp()
        let isWritten = (try? database.checkpoint(.passive)) != nil
        freeze()
        return isWritten
    }

    func freeze() {
        guard let reserve, let pages = try? integer(.pageCount) else { return }
        let limit = min(frozenAt ?? .max, pages + reserve.marginPages)
        guard (try? database.execute(sql: "PRAGMA max_page_count = \(limit)")) != nil else { return }
        frozenAt = limit
    }

    /// Returns the number of pages of the file after the commit of the current transaction; nil for an operator.
    ///
    /// - Throws: ``NoRoom`` if the file grows by much and the medium has no space for it: a log that cannot be
    ///   checkpointed would block removals too.
    func checkGrowth() throws -> Int64? {
        guard let reserve else { return nil }
        let pages = try integer(.pageCount)
        guard let knownPages, pages > knownPages else { return pages }
        // Other programs may have used the space for the margin meanwhile.
        guard reserve.allowsGrowth(pages: Int(pages - knownPages)), !isFrozen || reserve.hasRoom(forFileOf: pages)
        else {
            throw NoRoom()
        }
        return pages
    }

    /// Refuses outbound messages that would use the margin for inbound messages. Within a transaction.
    func demandMargin() throws {
        guard let reserve, let frozenAt else { return }
        let room = try integer(.freeCount) + frozenAt - integer(.pageCount)
        if room < reserve.marginPages { throw NoRoom() }
    }

    func tidy() throws {
        let spare = isFrozen ? 2 * (reserve?.marginPages ?? 0) : Self.spare
        let start = ContinuousClock.now
        var free = try integer(.freeCount)
        guard free > 2 * spare, try isFrozen || free * 2 > integer(.pageCount) else { return try thaw() }
        while free > spare, start.duration(to: .now) < Self.timeLimit {
            // The moved pages must fit into the log.
            let count = min(Int64(reserve?.logFrames ?? 64) / 4, free - spare)
            try database.execute(sql: "PRAGMA incremental_vacuum(\(count))")
            free = try integer(.freeCount)
        }
        // The file becomes shorter only with the checkpoint.
        try database.checkpoint(.passive)
        if isFrozen { freeze() }
        try thaw()
    }

    func compact() throws {
        var free = try integer(.freeCount)
        while free > 0 {
            // The moved pages must fit into the log.
            try database.execute(sql: "PRAGMA incremental_vacuum(\((reserve?.logFrames ?? 64) / 4))")
            // Lets the next pages restart the log, which cannot grow on a full medium.
            try database.checkpoint(.passive)
            let left = try integer(.freeCount)
            guard left < free else { break }
            free = left
        }
        // The temporary copy is as large as the content: too large for memory.
        try database.execute(sql: "PRAGMA temp_store = FILE")
        defer { try? database.execute(sql: "PRAGMA temp_store = MEMORY") }
        try database.execute(sql: "VACUUM")
        try database.checkpoint(.passive)
    }

    private func thaw() throws {
        guard let reserve, reserve.make(), isFrozen else { return }
        try database.execute(sql: "PRAGMA max_page_count = \(Self.noLimit)")
        frozenAt = nil
    }
}
