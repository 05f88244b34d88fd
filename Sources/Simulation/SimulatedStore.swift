internal import MessageStore

/// The storage of one bridge, which outlives its processes, and its faults.
package final class SimulatedMedium {
    let store = MemoryStore()
    /// How many of the next commits fail, without effect.
    package var failures = 0
    /// The number of failed commits.
    fileprivate(set) var failed = 0
    /// Whether the store is full: commits that add messages fail, and so do probes.
    package var isFull = false
    /// Called with each committed batch.
    var whenCommitted: (StoreBatch) -> Void = { _ in }
    /// The commit, counted from now, before or after which the process is killed.
    package var kill: (commit: Int, isBefore: Bool)?

    package init() {}
}

/// The store of one process. After the process is killed, all its operations fail.
// SAFETY: used by the one thread of the simulation.
final class SimulatedStore: MessageStore, @unchecked Sendable {
    private let medium: SimulatedMedium
    private let process: SimulatedProcess

    init(_ medium: SimulatedMedium, _ process: SimulatedProcess) {
        self.medium = medium
        self.process = process
    }

    private func check() throws(StoreError) {
        guard process.isAlive else {
            throw StoreError(.io, operation: "use the store", detail: "the process is killed")
        }
    }

    func recover() throws(StoreError) -> StoreInventory {
        try check()
        return try medium.store.recover()
    }

    func commit(_ batch: StoreBatch) throws(StoreError) -> [StoreRemoval] {
        try check()
        if var kill = medium.kill {
            kill.commit -= 1
            medium.kill = kill.commit > 0 ? kill : nil
            if kill.commit == 0 {
                if !kill.isBefore { _ = try keep(batch) }
                process.kill()
                throw StoreError(.io, operation: "commit", detail: "the process is killed")
            }
        }
        if medium.failures > 0 {
            medium.failures -= 1
            medium.failed += 1
            throw StoreError(.io, operation: "commit", detail: "made to fail")
        }
        if medium.isFull, !batch.arrivals.isEmpty || !batch.departures.isEmpty || batch.isProbe {
            medium.failed += 1
            throw StoreError(.full, operation: "commit", detail: "made to be full")
        }
        return try keep(batch)
    }

    private func keep(_ batch: StoreBatch) throws(StoreError) -> [StoreRemoval] {
        let removals = try medium.store.commit(batch)
        medium.whenCommitted(batch)
        return removals
    }

    func inbound(after sequence: Int64, limit: Int, bytes: Int) throws(StoreError) -> [InboundEntry] {
        try check()
        return try medium.store.inbound(after: sequence, limit: limit, bytes: bytes)
    }

    func outbound(to broker: String, after sequence: Int64, limit: Int, bytes: Int) throws(StoreError)
        -> [OutboundRecord]
    {
        try check()
        return try medium.store.outbound(to: broker, after: sequence, limit: limit, bytes: bytes)
    }

    func outboundTopics(to broker: String, limit: Int) throws(StoreError) -> [String] {
        try check()
        return try medium.store.outboundTopics(to: broker, limit: limit)
    }

    func deadLetters(_ filter: DeadLetterFilter, limit: Int) throws(StoreError) -> [DeadLetter] {
        try check()
        return try medium.store.deadLetters(filter, limit: limit)
    }

    func requestReplay(of filter: DeadLetterFilter) throws(StoreError) -> Int {
        try check()
        return try medium.store.requestReplay(of: filter)
    }

    func dropDeadLetters(_ filter: DeadLetterFilter) throws(StoreError) -> Int {
        try check()
        return try medium.store.dropDeadLetters(filter)
    }

    func text(named name: String, initial: String) throws(StoreError) -> String {
        try check()
        return try medium.store.text(named: name, initial: initial)
    }

    func setText(_ text: String, named name: String) throws(StoreError) {
        try check()
        try medium.store.setText(text, named: name)
    }

    func status() throws(StoreError) -> StoreStatus {
        try check()
        return try medium.store.status()
    }

    func close() {}
}
