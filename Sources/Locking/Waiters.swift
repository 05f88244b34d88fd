internal import DequeModule

/// Tasks that wait until a condition on a locked value holds, in the order in which they came. Part of that value.
///
/// Public, though of no product, as ``Locked`` is.
public struct Waiters<Condition: Sendable>: Sendable {
    /// A suspended task.
    public struct Waiter: Sendable {
        fileprivate let token: UInt64
        /// What the task waits for.
        public var condition: Condition
        fileprivate let continuation: CheckedContinuation<Void, any Error>

        /// Ends the wait of a task that was removed. To be called once, outside of the lock.
        public func resume(with result: Result<Void, any Error> = .success(())) { continuation.resume(with: result) }
    }

    private var waiters = Deque<Waiter>()
    private var latestToken: UInt64 = 0

    /// Nothing waits.
    public init() {}

    /// Whether nothing waits.
    public var isEmpty: Bool { waiters.isEmpty }

    /// Removes and returns the tasks whose condition holds; the others keep what `holds` has noted in theirs.
    public mutating func removeAll(where holds: (inout Condition) -> Bool) -> [Waiter] {
        guard !waiters.isEmpty else { return [] }
        var (removed, staying): ([Waiter], Deque<Waiter>) = ([], [])
        for var waiter in waiters {
            if holds(&waiter.condition) { removed.append(waiter) } else { staying.append(waiter) }
        }
        waiters = staying
        return removed
    }

    /// Removes and returns the task that came first, if its condition holds.
    public mutating func removeFirst(if holds: (Condition) -> Bool) -> Waiter? {
        guard let first = waiters.first, holds(first.condition) else { return nil }
        return waiters.removeFirst()
    }

    fileprivate mutating func makeToken() -> UInt64 {
        latestToken += 1
        return latestToken
    }

    fileprivate mutating func append(_ waiter: Waiter) { waiters.append(waiter) }

    fileprivate mutating func remove(_ token: UInt64) -> Waiter? {
        waiters.firstIndex { $0.token == token }.map { waiters.remove(at: $0) }
    }
}

extension Locked {
    /// Suspends until the task is removed from the waiters of the value and resumed, or `attempt` says that there is
    /// nothing to wait for.
    ///
    /// - Parameters:
    ///   - condition: What the task waits for.
    ///   - attempt: Called once, under the lock: returns how the wait ends at once, or nil to wait.
    /// - Throws: The failure that the task is resumed with; `CancellationError`.
    public func wait<Condition>(
        for condition: Condition,
        in waiters: any WritableKeyPath<Value, Waiters<Condition>> & Sendable,
        unless attempt: (inout Value, inout Condition) -> Result<Void, any Error>?
    ) async throws {
        let token = withLock { $0[keyPath: waiters].makeToken() }
        @Sendable func cancel() {
            withLock { $0[keyPath: waiters].remove(token) }?.resume(with: .failure(CancellationError()))
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let result = withLock { value -> Result<Void, any Error>? in
                    var condition = condition
                    if let result = attempt(&value, &condition) { return result }
                    value[keyPath: waiters].append(
                        .init(token: token, condition: condition, continuation: continuation)
                    )
                    return nil
                }
                // A cancellation before that found nothing to remove.
                if let result { continuation.resume(with: result) } else if Task.isCancelled { cancel() }
            }
        } onCancel: {
            cancel()
        }
    }
}
