internal import DequeModule

/// Tasks that wait for a condition on a locked value, in order of arrival. Part of that value.
///
/// Public for the same reason as ``Locked``.
public struct Waiters<Condition: Sendable>: Sendable {
    /// A suspended task.
    public struct Waiter: Sendable {
        fileprivate let token: UInt64
        /// The condition of the task.
        public var condition: Condition
        fileprivate let continuation: CheckedContinuation<Void, any Error>

        /// Ends the wait of a removed task. Call it once, outside the lock.
        public func resume(with result: Result<Void, any Error> = .success(())) { continuation.resume(with: result) }
    }

    private var waiters = Deque<Waiter>()
    private var latestToken: UInt64 = 0

    /// Creates an empty list.
    public init() {}

    /// Whether no task waits.
    public var isEmpty: Bool { waiters.isEmpty }

    /// Removes and returns the tasks whose condition holds. Changes that `holds` makes to other conditions are kept.
    public mutating func removeAll(where holds: (inout Condition) -> Bool) -> [Waiter] {
        guard !waiters.isEmpty else { return [] }
        var (removed, staying): ([Waiter], Deque<Waiter>) = ([], [])
        for var waiter in waiters {
            if holds(&waiter.condition) { removed.append(waiter) } else { staying.append(waiter) }
        }
        waiters = staying
        return removed
    }

    /// Removes and returns the first task if its condition holds.
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
    /// Suspends until the task is removed from the waiters of the value and resumed, unless `attempt` ends the wait at
    /// once.
    ///
    /// - Parameters:
    ///   - condition: The condition to wait for.
    ///   - attempt: Called once, under the lock. Returns the result of the wait if it ends at once, or nil to suspend.
    /// - Throws: The failure with which the task is resumed; `CancellationError`.
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
                // An earlier cancellation found no task to remove.
                if let result { continuation.resume(with: result) } else if Task.isCancelled { cancel() }
            }
        } onCancel: {
            cancel()
        }
    }
}
