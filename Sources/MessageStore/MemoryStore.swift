internal import Locking

/// A store in memory, for `durability: memory` and for tests. Its contents last as long as the object.
///
/// It has no limit of its own: the caller bounds it with evictions.
public final class MemoryStore: MessageStore {
    private let contents = Locked(MemoryContents())

    /// Creates an empty store.
    public init() {}

    /// As ``MessageStore/recover()``: an earlier user of this object counts as an earlier process.
    public func recover() throws(StoreError) -> StoreInventory {
        contents.withLock { $0.recover() }
    }

    /// As ``MessageStore/commit(_:)``; nothing survives the process.
    @discardableResult
    public func commit(_ batch: StoreBatch) throws(StoreError) -> [StoreRemoval] {
        try contents.withLock { contents throws(StoreError) in
            guard !contents.holdsAny(of: batch) else {
                let detail = "a message with this sequence is already in the store"
                throw StoreError(.other, operation: "write to the store", detail: detail)
            }
            return contents.apply(batch)
        }
    }

    /// As ``MessageStore/inbound(after:limit:bytes:)``.
    public func inbound(after sequence: Int64, limit: Int, bytes: Int) throws(StoreError) -> [InboundEntry] {
        contents.withLock { $0.inbound(after: sequence, limit: limit, bytes: bytes) }
    }

    /// As ``MessageStore/outbound(to:after:limit:bytes:)``.
    public func outbound(to broker: String, after sequence: Int64, limit: Int, bytes: Int) throws(StoreError)
        -> [OutboundRecord]
    {
        contents.withLock { $0.outbound(to: broker, after: sequence, limit: limit, bytes: bytes) }
    }

    /// As ``MessageStore/outboundTopics(to:limit:)``.
    public func outboundTopics(to broker: String, limit: Int) throws(StoreError) -> [String] {
        contents.withLock { $0.outboundTopics(to: broker, limit: limit) }
    }

    /// As ``MessageStore/deadLetters(_:limit:)``.
    public func deadLetters(_ filter: DeadLetterFilter, limit: Int) throws(StoreError) -> [DeadLetter] {
        contents.withLock { contents in
            var page = PageLimit(entries: max(0, limit), bytes: PageLimit.letterBytes)
            return Array(contents.letters.filter { filter.matches($0) }.prefix { page.takes($0.payload?.count ?? 0) })
        }
    }

    /// As ``MessageStore/requestReplay(of:)``; no other process can request one.
    public func requestReplay(of filter: DeadLetterFilter) throws(StoreError) -> Int {
        contents.withLock { $0.requestReplay(of: filter) }
    }

    /// As ``MessageStore/dropDeadLetters(_:)``.
    public func dropDeadLetters(_ filter: DeadLetterFilter) throws(StoreError) -> Int {
        contents.withLock { $0.dropLetters(filter) }
    }

    /// As ``MessageStore/text(named:initial:)``.
    public func text(named name: String, initial: String) throws(StoreError) -> String {
        contents.withLock { $0.text(named: name, initial: initial) }
    }

    /// As ``MessageStore/setText(_:named:)``.
    public func setText(_ text: String, named name: String) throws(StoreError) {
        contents.withLock { $0.setText(text, named: name) }
    }

    /// As ``MessageStore/status()``; the size is 0.
    public func status() throws(StoreError) -> StoreStatus {
        contents.withLock { $0.status }
    }

    /// Does nothing.
    public func close() {}
}
