import GRDB
public import MessageStore

/// Keeps messages in one SQLite file, which survives the end of the process.
///
/// One process at a time uses a store as its own (``open(_:)``); beside it others may look, check it and deal with dead
/// letters (``openForOperator(path:)``). Every call is carried out before it returns, on the calling thread; several
/// threads wait for one another. A call waits up to 5 s for another process that writes, then throws `.busy`.
///
/// A row that is not as it was written, and any sign that SQLite finds of a damaged file, is `.damaged`: nothing of it
/// is given out.
///
/// The file takes no less room when messages are removed; new ones use it again.
///
/// SAFETY: `session` is touched on the serial queue of the database only.
public final class SQLiteStore: MessageStore, @unchecked Sendable {
    /// The path of the file.
    public let path: String
    private let queue: DatabaseQueue
    private var session: Session?
    /// Nil for an operator, beside whom the content changes.
    private let lock: StoreLock?

    init(path: String, queue: DatabaseQueue, lock: StoreLock?) throws {
        self.path = path
        self.queue = queue
        self.lock = lock
        session = try queue.writeWithoutTransaction { try Session($0) }
    }

    private func perform<Result>(
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
            throw StoreError(error, operation: operation(), path: path)
        }
    }

    /// Looks at what an earlier process has left, and counts one more recovery for each inbound message.
    ///
    /// - Throws: `.damaged`, or what the medium says; then nothing was counted.
    public func recover() throws(StoreError) -> StoreInventory {
        try perform("recover the store \(path)") { session in
            try session.transaction { try session.recover() }
        }
    }

    /// Applies all changes of a batch, or none.
    ///
    /// - Throws: `.full`, `.io`, `.readOnly`, `.busy` and others; then the store is as it was, and the same batch may
    /// be   given again.
    @discardableResult
    public func commit(_ batch: StoreBatch) throws(StoreError) -> [StoreRemoval] {
        guard !batch.isEmpty else { return [] }
        return try perform("write to the store \(path)") { session in
            try session.transaction { try session.apply(batch) }
        }
    }

    /// Inbound messages in order.
    public func inbound(after sequence: Int64, limit: Int, bytes: Int) throws(StoreError) -> [InboundEntry] {
        try perform("read inbound messages of the store \(path)") { session in
            try session.snapshot { try session.inbound(after: sequence, limit: limit, bytes: bytes) }
        }
    }

    /// Outbound messages for a broker in order.
    public func outbound(to broker: String, after sequence: Int64, limit: Int, bytes: Int) throws(StoreError)
        -> [OutboundRecord]
    {
        try perform("read outbound messages of the store \(path)") { session in
            try session.snapshot {
                try session.outbound(to: broker, after: sequence, limit: limit, bytes: bytes)
            }
        }
    }

    /// The different topics of the outbound messages for a broker, in no order.
    public func outboundTopics(to broker: String, limit: Int) throws(StoreError) -> [String] {
        try perform("read topics of the store \(path)") { session in
            try session.snapshot { try session.outboundTopics(to: broker, limit: limit) }
        }
    }

    /// Dead letters by number. To ask for those that are to be replayed costs next to nothing when there are none.
    public func deadLetters(_ filter: DeadLetterFilter, limit: Int) throws(StoreError) -> [DeadLetter] {
        try perform("read dead letters of the store \(path)") { try $0.letters(filter, limit: limit) }
    }

    /// Asks for a replay, which the process that has the store open carries out.
    public func requestReplay(of filter: DeadLetterFilter) throws(StoreError) -> Int {
        try perform("ask for a replay in the store \(path)") { session in
            try session.transaction { try session.requestReplay(of: filter) }
        }
    }

    /// Removes dead letters.
    public func dropDeadLetters(_ filter: DeadLetterFilter) throws(StoreError) -> Int {
        try perform("drop dead letters of the store \(path)") { session in
            try session.transaction { try session.dropLetters(filter) }
        }
    }

    /// A text kept under a name.
    public func text(named name: String, initial: String) throws(StoreError) -> String {
        try perform("read \"\(name)\" of the store \(path)") { try $0.text(named: name, initial: initial) }
    }

    /// Counts and sizes. Reads every message but for the payload.
    public func status() throws(StoreError) -> StoreStatus {
        try perform("read the status of the store \(path)") { session in
            var status = try session.snapshot { try session.status() }
            status.size = StoreFiles(path).size
            return status
        }
    }

    /// Reads everything and returns what is wrong with it, in sentences; empty when it is sound.
    ///
    /// - Throws: `.damaged` when not even that can be said.
    public func check() throws(StoreError) -> [String] {
        try perform("check the store \(path)") { session in
            try session.snapshot { try session.problems() }
        }
    }

    /// Writes the log back into the file, as far as that succeeds, and releases the lock. A second time it does
    /// nothing.
    public func close() {
        queue.writeWithoutTransaction { database in
            guard session != nil else { return }
            session = nil
            // Another process may be reading. Then it does this when it closes, or the next process that opens.
            if lock != nil { _ = try? database.checkpoint(.truncate) }
        }
        try? queue.close()
        lock?.release()
    }
}

extension StoreError {
    init(_ error: any Error, operation: String, path: String) {
        switch error {
        case let error as StoreError: self = error
        case let error as DatabaseError: self.init(error, operation: operation, path: path)
        case let error as StoreDamage: self = .damaged(path, operation: operation, detail: error.detail)
        default: self.init(.other, operation: operation, detail: "\(error)")
        }
    }
}
