internal import AsyncEventBus
internal import Locking
internal import MQTTBridge

/// Reports the outcome of one line of standard input on standard output: stored, then published, pending or failed.
struct Answer: Sendable {
    let line: Int
    let receipt: Receipt

    /// Writes an answer for each step, and calls `completion` after the last answer.
    func follow(to output: EventOutput, completion: @escaping @Sendable () -> Void) {
        receipt.whenStored { result in
            // If no route stores the event, the answer about its publication is the only one.
            guard case .success = result else { return }
            output.enqueue(line: text([("stored", "true")]))
        }
        receipt.whenPublished { result in
            let outcome =
                switch result {
                case .success: [("published", "true")]
                // Not a failure: the next process publishes the event.
                case .failure(let error as EventBusError) where error.code == .postponed: [("pending", "true")]
                case .failure(let error): [("published", "false"), ("error", JSONText.string("\(error)"))]
                }
            output.enqueue(line: text(outcome), completion: completion)
        }
    }

    /// Returns the answer to a line that is not a valid event.
    static func refusal(line: Int, error: String) -> String {
        JSONText.object([("receipt", String(line)), ("error", JSONText.string(error))])
    }

    private func text(_ outcome: [(String, String)]) -> String {
        JSONText.object(
            [("receipt", String(line)), ("id", JSONText.string(receipt.id.description))] + outcome
        )
    }
}

/// Counts the lines that wait for their last answer.
final class PendingAnswers: Sendable {
    private struct State {
        var count = 0
        var waiter: CheckedContinuation<Void, Never>?
    }

    private let limit: Int
    private let state = Locked(State())

    init(limit: Int) {
        self.limit = limit
    }

    func began() { state.withLock { $0.count += 1 } }

    func ended() {
        let waiter = state.withLock { state in
            state.count -= 1
            guard state.count < limit else { return nil as CheckedContinuation<Void, Never>? }
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume()
    }

    /// Returns once fewer lines than the limit wait. Only one task may call it at a time.
    func waitForRoom() async throws {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isDone = state.withLock { state in
                    if state.count < limit { return true }
                    state.waiter = continuation
                    return false
                }
                if isDone { continuation.resume() } else if Task.isCancelled { cancel() }
            }
        } onCancel: {
            cancel()
        }
        try Task.checkCancellation()
    }

    private func cancel() {
        let waiter = state.withLock { state in
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume()
    }
}
