public import MessageStore

/// A store whose n-th call fails, as a medium would: the store below does nothing then.
public final class FaultyStore: MessageStore {
    private struct Plan {
        var calls = 0
        var failing: Int
        var error: StoreError
    }

    private let store: any MessageStore
    private let plan: Locked<Plan>

    /// - Parameters:
    ///   - failing: Which call fails, counted from 1 over all methods but ``close()``; 0 for none.
    ///   - error: What it throws.
    public init(
        _ store: any MessageStore,
        failing: Int,
        with error: StoreError = StoreError(.io, operation: "use the store", detail: "made to fail")
    ) {
        self.store = store
        plan = Locked(Plan(failing: failing, error: error))
    }

    /// How many calls there were, with the one that failed.
    public var calls: Int { plan.withLock { $0.calls } }

    /// Whether the call that was to fail has come.
    public var hasFailed: Bool { plan.withLock { $0.failing > 0 && $0.calls >= $0.failing } }

    /// Lets another call fail: the n-th from now on; 0 for none.
    public func fail(_ call: Int, with error: StoreError) {
        plan.withLock { $0 = Plan(failing: call, error: error) }
    }

    private func count() throws(StoreError) {
        let error = plan.withLock { plan -> StoreError? in
            plan.calls += 1
            return plan.calls == plan.failing ? plan.error : nil
        }
        if let error { throw error }
    }

    /// Fails in its turn.
    public func recover() throws(StoreError) -> StoreInventory {
        try count()
        return try store.recover()
    }

    /// Fails in its turn.
    @discardableResult
    public func commit(_ batch: StoreBatch) throws(StoreError) -> [StoreRemoval] {
        try count()
        return try store.commit(batch)
    }

    /// Fails in its turn.
    public func inbound(after sequence: Int64, limit: Int, bytes: Int) throws(StoreError) -> [InboundEntry] {
        try count()
        return try store.inbound(after: sequence, limit: limit, bytes: bytes)
    }

    /// Fails in its turn.
    public func outbound(to broker: String, after sequence: Int64, limit: Int, bytes: Int) throws(StoreError)
        -> [OutboundRecord]
    {
        try count()
        return try store.outbound(to: broker, after: sequence, limit: limit, bytes: bytes)
    }

    /// Fails in its turn.
    public func outboundTopics(to broker: String, limit: Int) throws(StoreError) -> [String] {
        try count()
        return try store.outboundTopics(to: broker, limit: limit)
    }

    /// Fails in its turn.
    public func deadLetters(_ filter: DeadLetterFilter, limit: Int) throws(StoreError) -> [DeadLetter] {
        try count()
        return try store.deadLetters(filter, limit: limit)
    }

    /// Fails in its turn.
    public func requestReplay(of filter: DeadLetterFilter) throws(StoreError) -> Int {
        try count()
        return try store.requestReplay(of: filter)
    }

    /// Fails in its turn.
    public func dropDeadLetters(_ filter: DeadLetterFilter) throws(StoreError) -> Int {
        try count()
        return try store.dropDeadLetters(filter)
    }

    /// Fails in its turn.
    public func text(named name: String, initial: String) throws(StoreError) -> String {
        try count()
        return try store.text(named: name, initial: initial)
    }

    /// Fails in its turn.
    public func setText(_ text: String, named name: String) throws(StoreError) {
        try count()
        try store.setText(text, named: name)
    }

    /// Fails in its turn.
    public func status() throws(StoreError) -> StoreStatus {
        try count()
        return try store.status()
    }

    /// Closes the store below.
    public func close() {
        store.close()
    }
}
