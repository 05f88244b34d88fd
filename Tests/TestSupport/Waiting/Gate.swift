/// Holds up whoever comes to it, until it is opened.
public final class Gate: Sendable {
    private struct State {
        var isOpen = false
        var waiters: [Int: CheckedContinuation<Void, any Error>] = [:]
        var nextToken = 0
    }

    private let state = Locked(State())

    /// A gate that is closed.
    public init() {}

    /// Lets everybody pass, from now on.
    public func open() {
        let waiters = state.withLock { state in
            state.isOpen = true
            defer { state.waiters = [:] }
            return state.waiters.values
        }
        for waiter in waiters { waiter.resume() }
    }

    /// Waits, and does not care about cancellation.
    public func pass() async {
        _ = try? await withCheckedThrowingContinuation { enter($0) }
    }

    /// Waits, and throws `CancellationError` when cancelled.
    public func passUnlessCancelled() async throws {
        let token = state.withLock { state in
            state.nextToken += 1
            return state.nextToken
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { waiter in
                enter(waiter, token: token)
                if Task.isCancelled { cancel(token) }
            }
        } onCancel: {
            cancel(token)
        }
    }

    private func enter(_ waiter: CheckedContinuation<Void, any Error>, token: Int? = nil) {
        let isOpen = state.withLock { state in
            if state.isOpen { return true }
            state.nextToken += 1
            state.waiters[token ?? state.nextToken] = waiter
            return false
        }
        if isOpen { waiter.resume() }
    }

    private func cancel(_ token: Int) {
        state.withLock { $0.waiters.removeValue(forKey: token) }?.resume(throwing: CancellationError())
    }
}
