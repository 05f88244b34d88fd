import GRDB
public import MessageStore

/// A persistent store in one SQLite file.
///
/// One process at a time owns a store (``open(_:)-(SQLiteStoreOptions)``). Meanwhile other processes may read it, check it, and replay or
/// drop dead letters (``openForOperator(path:)``). Calls are synchronous, on the calling thread; concurrent calls wait
/// for one another. A call waits up to 5 s for another process that writes, then throws `.busy`.
///
/// A row with a wrong checksum and any damage that SQLite detects throw `.damaged`. Only ``remains(of:)`` returns
/// fields of a damaged message. A damaged dead letter is listed without its payload. After damage that is not confined
/// to one message, the next ``open(_:)-(SQLiteStoreOptions)`` runs a full check.
///
/// New messages reuse the pages of removed messages. When most pages are free, ``tidy()`` shortens the file step by
/// step.
///
/// A full medium does not stop removals. The write-ahead log is preallocated, and the file `PATH.reserve` reserves as
/// much space again and some more. On a full medium the store deletes the reserve and stops the growth of the database.
/// Removals then always succeed, and new messages succeed while the database has free pages. When the medium has space
/// again, the store restores the reserve and lets the database grow.
///
/// SAFETY: only the serial queue of the database accesses `session`.
public final class SQLiteStore: MessageStore, @unchecked Sendable {
    /// The path of the file.
    public let path: String
    /// The check when this process opened the store as its owner; nil for an operator.
    public let startCheck: StartCheck?
    /// The new path of a damaged store that was moved aside when this one was opened; nil if there was none.
    public let movedAside: String?
    private let queue: DatabaseQueue
    private var session: Session?
    /// Nil for an operator: the content may change between calls.
    private let lock: StoreLock?
    private let reserve: StoreReserve?

    init(
        path: String,
        queue: DatabaseQueue,
        lock: StoreLock?,
        reserve: StoreReserve?,
        startCheck: StartCheck?,
        movedAside: String?
    ) throws {
        self.path = path
        self.queue = queue
        self.startCheck = startCheck
        self.movedAside = movedAside
        self.lock = lock
        self.reserve = reserve
        session = try queue.writeWithoutTransaction { try Session($0, reserve: reserve) }
    }

    /// Whether this process is the owner.
    var isOwner: Bool { lock != nil }

    func perform<Result>(
        _ operation: @autoclosure () -> String,
        _ body: (Session) throws -> Result
    ) throws(StoreError) -> Result {
        do {
            return try queue.writeWithoutTransaction { _ in
                guard let session else {
                    throw StoreError(.other, operation: operation(), detail: "the store is closed")
                }
                if lock == nil { session.forget() }
                return try body(session)
            }
        } catch {
            let error = StoreError(error, operation: operation(), path: path)
            // Damage of a single message ends with its removal.
            if error.code == .damaged, error.row == nil { lock?.isSuspect = true }
            throw error
        }
    }

    /// As ``/MessageStore/MessageStore/recover()``. Reads every message except its payload, and removes unused names.
    ///
    /// - Throws: `.damaged`, or errors of the medium; then no recovery was counted.
    public func recover() throws(StoreError) -> StoreInventory {
        try perform("recover the store \(path)") { session in
            try session.transaction { try session.recover() }
        }
    }

    /// Applies all changes of a batch, or none.
    ///
    /// With ``SQLiteStoreOptions/Synchronous/full`` the batch is on the medium when this returns. A batch that is
    /// ``/MessageStore/StoreBatch/isRepeatable`` reaches the medium with the next batch that is not.
    ///
    /// - Throws: `.full`, `.io`, `.readOnly`, `.busy` and others; then the store is unchanged, and the batch may be
    ///   repeated.
    @discardableResult
    public func commit(_ batch: StoreBatch) throws(StoreError) -> [StoreRemoval] {
        guard !batch.isEmpty else { return [] }
        return try perform("write to the store \(path)") { session in
            try session.transaction(isRepeatable: batch.isRepeatable) { try session.apply(batch) }
        }
    }

    /// As ``/MessageStore/MessageStore/inbound(after:limit:bytes:)``.
    public func inbound(after sequence: Int64, limit: Int, bytes: Int) throws(StoreError) -> [InboundEntry] {
        try perform("read inbound messages of the store \(path)") { session in
            try session.snapshot { try session.inbound(after: sequence, limit: limit, bytes: bytes) }
        }
    }

    /// As ``/MessageStore/MessageStore/outbound(to:after:limit:bytes:)``.
    public func outbound(to broker: String, after sequence: Int64, limit: Int, bytes: Int) throws(StoreError)
        -> [OutboundRecord]
    {
        try perform("read outbound messages of the store \(path)") { session in
            try session.snapshot {
                try session.outbound(to: broker, after: sequence, limit: limit, bytes: bytes)
            }
        }
    }

    /// As ``/MessageStore/MessageStore/remains(of:)``.
    public func remains(of row: StoreRow) throws(StoreError) -> DeadLetter {
        try perform("read the remains of a message in the store \(path)") { session in
            try session.snapshot { try session.remains(of: row) }
        }
    }

    /// As ``/MessageStore/MessageStore/outboundTopics(to:limit:)``.
    public func outboundTopics(to broker: String, limit: Int) throws(StoreError) -> [String] {
        try perform("read topics of the store \(path)") { session in
            try session.snapshot { try session.outboundTopics(to: broker, limit: limit) }
        }
    }

    /// As ``/MessageStore/MessageStore/deadLetters(_:limit:)``. A query for replay requests uses an index: it costs next to nothing
    /// if there are none.
    public func deadLetters(_ filter: DeadLetterFilter, limit: Int) throws(StoreError) -> [DeadLetter] {
        try perform("read dead letters of the store \(path)") { try $0.letters(filter, limit: limit) }
    }

    /// The number and size of a dead letter.
    public struct LetterEntry: Sendable, Hashable {
        /// The number of the letter.
        public let number: Int64
        /// The size that counts against the limits of dead letters, in bytes.
        public let size: Int
        /// Whether the payload was kept: a letter without one cannot be replayed.
        public let hasPayload: Bool
    }

    /// Returns at most `limit` dead letters, in the order of their numbers. Reads no payload.
    public func deadLetterIndex(_ filter: DeadLetterFilter, limit: Int) throws(StoreError) -> [LetterEntry] {
        try perform("read dead letters of the store \(path)") { try $0.letterIndex(filter, limit: limit) }
    }

    /// As ``/MessageStore/MessageStore/requestReplay(of:)``: the owner performs the replay.
    public func requestReplay(of filter: DeadLetterFilter) throws(StoreError) -> Int {
        try perform("ask for a replay in the store \(path)") { session in
            try session.transaction { try session.requestReplay(of: filter) }
        }
    }

    /// Removes dead letters in one transaction. For many letters, remove one page of ``deadLetterIndex(_:limit:)`` at a
    /// time, so that the owner does not wait.
    public func dropDeadLetters(_ filter: DeadLetterFilter) throws(StoreError) -> Int {
        try perform("drop dead letters of the store \(path)") { session in
            try session.transaction { try session.dropLetters(filter) }
        }
    }

    /// As ``/MessageStore/MessageStore/text(named:initial:)``.
    public func text(named name: String, initial: String) throws(StoreError) -> String {
        try perform("read \"\(name)\" of the store \(path)") { try $0.text(named: name, initial: initial) }
    }

    /// As ``/MessageStore/MessageStore/setText(_:named:)``.
    public func setText(_ text: String, named name: String) throws(StoreError) {
        try perform("write \"\(name)\" of the store \(path)") { try $0.setText(text, named: name) }
    }

    /// Returns the current counts and sizes. Reads every message except its payload.
    public func status() throws(StoreError) -> StoreStatus {
        try perform("read the status of the store \(path)") { session in
            var status = try session.snapshot { try session.status() }
            status.size = StoreFiles(path).size
            return status
        }
    }

    /// Checks the whole store. Returns a sentence for each problem, some 100 at most; empty if the store is sound.
    ///
    /// - Throws: `.damaged` if the damage prevents the check.
    public func check() throws(StoreError) -> [String] {
        try perform("check the store \(path)") { session in
            try session.snapshot { try session.problems(.full, StoreFiles(path)) }
        }
    }

    /// Stops the growth of the file until the reserve is restored.
    func freeze() {
        queue.writeWithoutTransaction { _ in session?.freeze() }
    }

    /// Shortens the file if most of it is free, for some 50 ms, and restores the reserve if the medium has space. Does
    /// nothing for an operator.
    public func tidy() throws(StoreError) {
        guard isOwner else { return }
        try perform("tidy the store \(path)") { try $0.tidy() }
    }

    /// Makes the file as short as its content allows. Blocks for as long as the medium takes to write the content
    /// twice, so no bridge should use the store meanwhile.
    ///
    /// It first returns the free pages, which needs no space. Then it rewrites the content (`VACUUM`), so that pages
    /// are full and contain no remains of removed messages. The second step needs space for the content in the
    /// write-ahead log, and as much in the folder of temporary files (`SQLITE_TMPDIR`, else `TMPDIR`, else `/var/tmp`).
    ///
    /// - Throws: `.full` without that space: the first step is done, and nothing is lost. `.notPermitted` if this
    ///   process is not the owner. Otherwise errors of the medium.
    public func compact() throws(StoreError) {
        let operation = "compact the store \(path)"
        guard isOwner else {
            throw StoreError(.notPermitted, operation: operation, detail: "it was not opened as its only owner")
        }
        try perform(operation) { try $0.compact() }
    }

    /// Returns the size of the files of a store, with the write-ahead log and its index, in bytes; 0 if there are none.
    public static func size(of path: String) -> Int { StoreFiles(path).size }

    /// Checkpoints the write-ahead log as far as possible and releases the lock. A second call does nothing.
    public func close() {
        queue.writeWithoutTransaction { database in
            guard session != nil else { return }
            session = nil
            // This fails while another process reads. That process does it when it closes, or the next owner does.
            if lock != nil { _ = try? database.checkpoint(.truncate) }
        }
        try? queue.close()
        // In place of the log: the next owner needs a log even on a full medium.
        if lock?.isHeld == true { _ = reserve?.make(isLast: true) }
        lock?.release()
    }
}

extension StoreError {
    init(_ error: any Error, operation: String, path: String) {
        switch error {
        case let error as StoreError: self = error
        case let error as DatabaseError: self.init(error, operation: operation, path: path)
        case is NoRoom:
            let advice = "Make room on the medium of \(path)."
            self.init(.full, operation: operation, detail: "the medium has no room for so much", advice: advice)
        case let error as StoreDamage: self = .damaged(path, operation: operation, detail: error.detail, row: error.row)
        default: self.init(.other, operation: operation, detail: "\(error)")
        }
    }
}
