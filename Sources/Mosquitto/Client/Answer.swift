import Locking

/// An answer that one task awaits. The first result wins: the answer, or the task's cancellation.
final class Answer<Value: Sendable>: Sendable {
    private enum State {
        case empty
        case awaited(CheckedContinuation<Value, any Error>)
        case known(Result<Value, any Error>)
        case taken
    }

    private let state = Locked(State.empty)

    /// Gives the answer, unless there is a result.
    func give(_ result: Result<Value, some Error>) {
        let result = result.mapError { $0 as any Error }
        let continuation = state.withLock { state -> CheckedContinuation<Value, any Error>? in
            switch state {
            case .empty: state = .known(result)
            case .awaited(let continuation):
                state = .taken
                return continuation
            case .known, .taken: break
            }
            return nil
        }
        continuation?.resume(with: result)
    }

    /// The answer; read it once.
    ///
    /// - Throws: The failure, or `CancellationError` as soon as the task is cancelled.
    var value: Value {
        get async throws {
            try await withTaskCancellationHandler {
                try await withCheckedThrowingContinuation { continuation in
                    let result = state.withLock { state -> Result<Value, any Error>? in
                        guard case .known(let result) = state else {
                            state = .awaited(continuation)
                            return nil
                        }
                        state = .taken
                        return result
                    }
                    if let result { continuation.resume(with: result) }
                }
            } onCancel: {
                give(.failure(CancellationError()))
            }
        }
    }
}
