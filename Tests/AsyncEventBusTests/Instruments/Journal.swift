import AsyncEventBus
import Locking

/// Keeps what was written into it, in order, and tells when there is enough.
final class Journal<Entry: Sendable>: Sendable {
    private struct State {
        var entries: [Entry] = []
        var waiters: [Int: (count: Int, continuation: CheckedContinuation<Void, Never>)] = [:]
        var nextToken = 0
    }

    private let state = Locked(State())

    var entries: [Entry] { state.withLock { $0.entries } }
    var count: Int { state.withLock { $0.entries.count } }

    func write(_ entry: Entry) {
        let satisfied = state.withLock { state in
            state.entries.append(entry)
            guard !state.waiters.isEmpty else { return [CheckedContinuation<Void, Never>]() }
            let satisfied = state.waiters.filter { $0.value.count <= state.entries.count }
            for token in satisfied.keys { state.waiters[token] = nil }
            return satisfied.values.map(\.continuation)
        }
        for waiter in satisfied { waiter.resume() }
    }

    /// What is written once it is at least that much, or when the time limit of the test cancels it.
    @discardableResult
    func wait(for count: Int) async -> [Entry] {
        let token = state.withLock { state in
            state.nextToken += 1
            return state.nextToken
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isThere = state.withLock { state in
                    if state.entries.count >= count { return true }
                    state.waiters[token] = (count, continuation)
                    return false
                }
                if isThere { continuation.resume() } else if Task.isCancelled { cancel(token) }
            }
        } onCancel: {
            cancel(token)
        }
        return entries
    }

    private func cancel(_ token: Int) {
        state.withLock { $0.waiters.removeValue(forKey: token) }?.continuation.resume()
    }
}

extension Journal<String> {
    /// Writes the payload of an event.
    func hear(_ event: Event) { write(event.payload.text ?? "not text") }
}
