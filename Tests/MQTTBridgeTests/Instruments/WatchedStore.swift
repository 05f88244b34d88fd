import Foundation
import MessageStore
import TestSupport

// SAFETY of `@unchecked Sendable`: the state is only touched while the condition is locked.

/// A store whose commits are recorded, and can be made to wait or to fail for as long as a test likes.
final class WatchedStore: MessageStore, @unchecked Sendable {
    private struct State {
        var batches: [StoreBatch] = []
        var fault: StoreError?
        var readFault: StoreError?
        var attempts = 0
        var inboundReads = 0
        var isHeld = false
        var waiting = 0
    }

    private let store: any MessageStore
    private let condition = NSCondition()
    private var state = State()

    init(_ store: any MessageStore = MemoryStore()) {
        self.store = store
    }

    private func locked<Value>(_ body: (inout State) -> Value) -> Value {
        condition.lock()
        defer { condition.unlock() }
        return body(&state)
    }

    /// What was committed.
    var batches: [StoreBatch] { locked { $0.batches } }

    /// How often it was tried to commit, in vain or not.
    var attempts: Int { locked { $0.attempts } }

    /// How often inbound messages were read.
    var inboundReads: Int { locked { $0.inboundReads } }

    /// Whether somebody waits to commit.
    var isWaiting: Bool { locked { $0.waiting > 0 } }

    /// Lets commits wait.
    func hold() { locked { $0.isHeld = true } }

    /// Lets commits go on.
    func release() {
        locked { $0.isHeld = false }
        condition.broadcast()
    }

    /// Lets every call fail from now on; nil for none. What happens to a process that is killed: it changes nothing more.
    func fail(_ code: StoreError.Code?) {
        locked { $0.fault = code.map { StoreError($0, operation: "use the store", detail: "made to fail") } }
    }

    /// Lets messages not be read from now on; nil to let them.
    func failReads(_ code: StoreError.Code?) {
        locked { $0.readFault = code.map { StoreError($0, operation: "read the store", detail: "made to fail") } }
    }

    private func checkReads() throws(StoreError) {
        try check()
        if let fault = locked({ $0.readFault }) { throw fault }
    }

    private func check() throws(StoreError) {
        if let fault = locked({ $0.fault }) { throw fault }
    }

    private func waitUntilReleased() {
        condition.lock()
        state.attempts += 1
        state.waiting += 1
        while state.isHeld { condition.wait() }
        state.waiting -= 1
        condition.unlock()
    }

    func recover() throws(StoreError) -> StoreInventory {
        try check()
        return try store.recover()
    }

    @discardableResult
    func commit(_ batch: StoreBatch) throws(StoreError) -> [StoreRemoval] {
        waitUntilReleased()
        try check()
        let removals = try store.commit(batch)
        locked { $0.batches.append(batch) }
        return removals
    }

    func inbound(after sequence: Int64, limit: Int, bytes: Int) throws(StoreError) -> [InboundEntry] {
        try checkReads()
        locked { $0.inboundReads += 1 }
        return try store.inbound(after: sequence, limit: limit, bytes: bytes)
    }

    func outbound(to broker: String, after sequence: Int64, limit: Int, bytes: Int) throws(StoreError)
        -> [OutboundRecord]
    {
        try checkReads()
        return try store.outbound(to: broker, after: sequence, limit: limit, bytes: bytes)
    }

    func outboundTopics(to broker: String, limit: Int) throws(StoreError) -> [String] {
        try check()
        return try store.outboundTopics(to: broker, limit: limit)
    }

    func deadLetters(_ filter: DeadLetterFilter, limit: Int) throws(StoreError) -> [DeadLetter] {
        try check()
        return try store.deadLetters(filter, limit: limit)
    }

    func requestReplay(of filter: DeadLetterFilter) throws(StoreError) -> Int {
        try store.requestReplay(of: filter)
    }

    func dropDeadLetters(_ filter: DeadLetterFilter) throws(StoreError) -> Int {
        try store.dropDeadLetters(filter)
    }

    func text(named name: String, initial: String) throws(StoreError) -> String {
        try check()
        return try store.text(named: name, initial: initial)
    }

    func setText(_ text: String, named name: String) throws(StoreError) {
        try check()
        try store.setText(text, named: name)
    }

    func status() throws(StoreError) -> StoreStatus { try store.status() }

    func close() {}
}

extension MessageStore {
    /// How many messages of a direction there are.
    func count(_ direction: DeadLetter.Direction) throws -> Int {
        try status().loads.filter { $0.direction == direction }.reduce(0) { $0 + $1.messages }
    }

    /// All dead letters.
    var letters: [DeadLetter] { get throws { try deadLetters(.all, limit: 1_000) } }

    /// The payloads of what waits for a broker, in order.
    func waiting(for broker: String = "default") throws -> [String] {
        try outbound(to: broker, after: 0, limit: 100_000, bytes: .max)
            .map { String(decoding: $0.payload, as: UTF8.self) }
    }
}
