import MessageStore
import TestSupport

/// A store in memory with room for so many messages, which behaves as a file on a full medium: what only removes succeeds,
/// unless it removes so much at once that the log has no room for it.
final class FullStore: MessageStore {
    private let store = MemoryStore()
    private let capacity: Int
    private static let mostRemovals = 20
    private let refusals = Locked(0)

    init(capacity: Int) {
        self.capacity = capacity
    }

    /// How often there was no room.
    var refused: Int { refusals.withLock { $0 } }

    func recover() throws(StoreError) -> StoreInventory { try store.recover() }

    @discardableResult
    func commit(_ batch: StoreBatch) throws(StoreError) -> [StoreRemoval] {
        let new = batch.arrivals.count + batch.departures.count + batch.deadLetters.count + (batch.isProbe ? 1 : 0)
        let status = try store.status()
        let gone = batch.finished.count + batch.published.count
        let fitsLog = refused == 0 || status.messages < capacity / 2 || gone <= Self.mostRemovals
        guard fitsLog, new == 0 || status.messages + status.deadLetters - gone + new <= capacity else {
            refusals.withLock { $0 += 1 }
            throw StoreError(.full, operation: "write to the store", detail: "made to fail")
        }
        return try store.commit(batch)
    }

    func inbound(after sequence: Int64, limit: Int, bytes: Int) throws(StoreError) -> [InboundEntry] {
        try store.inbound(after: sequence, limit: limit, bytes: bytes)
    }

    func outbound(to broker: String, after sequence: Int64, limit: Int, bytes: Int) throws(StoreError)
        -> [OutboundRecord]
    {
        try store.outbound(to: broker, after: sequence, limit: limit, bytes: bytes)
    }

    func outboundTopics(to broker: String, limit: Int) throws(StoreError) -> [String] {
        try store.outboundTopics(to: broker, limit: limit)
    }

    func deadLetters(_ filter: DeadLetterFilter, limit: Int) throws(StoreError) -> [DeadLetter] {
        try store.deadLetters(filter, limit: limit)
    }

    func requestReplay(of filter: DeadLetterFilter) throws(StoreError) -> Int { try store.requestReplay(of: filter) }

    func dropDeadLetters(_ filter: DeadLetterFilter) throws(StoreError) -> Int { try store.dropDeadLetters(filter) }

    func text(named name: String, initial: String) throws(StoreError) -> String {
        try store.text(named: name, initial: initial)
    }

    func setText(_ text: String, named name: String) throws(StoreError) { try store.setText(text, named: name) }

    func status() throws(StoreError) -> StoreStatus { try store.status() }

    func close() {}
}
