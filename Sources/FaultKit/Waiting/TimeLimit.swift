internal import Locking

/// The error of an operation that exceeds its time limit.
package struct TimeLimitExceeded: Error, Sendable, Equatable, CustomStringConvertible {
    /// The expected outcome and the limit.
    package let description: String

    /// - Parameter what: The expected outcome, as a sentence without a full stop.
    package init(_ what: String, _ limit: Duration) {
        description = "not within \(limit.patient): \(what)"
    }
}

/// Runs `body` and returns its result, or throws if it takes longer than `limit`, made ``Swift/Duration/patient``.
///
/// At the limit `body` is cancelled but not awaited, so that a body that ignores cancellation fails its test instead of
/// hanging the run. Cancelling the caller cancels `body` and waits for it.
///
/// - Parameter what: The expected outcome, for the error.
/// - Throws: `TimeLimitExceeded`, or the error of `body`.
@discardableResult
package func withTimeLimit<T: Sendable>(
    _ limit: Duration,
    _ what: String = "the operation ends",
    _ body: @escaping @Sendable () async throws -> T
) async throws -> T {
    let first = FirstResult<T>()
    // One for each call, which cancels it before it returns and does not await it: see above.
    let work = Task {
        do { first.set(.success(try await body())) } catch { first.set(.failure(error)) }
    }
    // One for each call, which cancels it before it returns.
    let timer = Task {
        try await Task.sleep(for: limit.patient)
        first.set(.failure(TimeLimitExceeded(what, limit)))
    }
    defer {
        work.cancel()
        timer.cancel()
    }
    return try await withTaskCancellationHandler {
        try await first.get()
    } onCancel: {
        work.cancel()
    }
}

/// Passes the first of several results to one waiter; discards the others.
final class FirstResult<T: Sendable>: Sendable {
    private enum State {
        case empty
        case waiting(CheckedContinuation<T, any Error>)
        case done(Result<T, any Error>)
    }

    private let state = Locked(State.empty)

    func set(_ result: Result<T, any Error>) {
        let waiter: CheckedContinuation<T, any Error>? = state.withLock { state in
            guard case .waiting(let waiter) = state else {
                if case .empty = state { state = .done(result) }
                return nil
            }
            state = .done(result)
            return waiter
        }
        waiter?.resume(with: result)
    }

    func get() async throws -> T {
        try await withCheckedThrowingContinuation { continuation in
            let result: Result<T, any Error>? = state.withLock { state in
                if case .done(let result) = state { return result }
                state = .waiting(continuation)
                return nil
            }
            if let result { continuation.resume(with: result) }
        }
    }
}
