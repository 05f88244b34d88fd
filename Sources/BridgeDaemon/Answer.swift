internal import AsyncEventBus
internal import Locking
internal import MQTTBridge

/// What standard output says to a line of standard input: that it is stored, that the broker has taken it.
struct Answer: Sendable {
    let line: Int
    let receipt: Receipt

    /// Writes an answer at each step, and calls `completion` after the last one.
    func follow(to output: EventOutput, completion: @escaping @Sendable () -> Void) {
        receipt.whenStored { result in
            // Where no route keeps it, there is only one answer.
            guard case .success = result else { return }
            output.enqueue(line: text([("stored", "true")]))
        }
        receipt.whenPublished { result in
            let outcome =
                switch result {
                case .success: [("published", "true")]
                // The next process publishes it: that is no refusal.
                case .failure(let error as EventBusError) where error.code == .postponed: [("pending", "true")]
                case .failure(let error): [("published", "false"), ("error", JSONText.string("\(error)"))]
                }
            output.enqueue(line: text(outcome), completion: completion)
        }
    }

    /// The answer to a line that is none.
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

    /// Returns once fewer than the limit wait. For one at a time.
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
