import Locking

/// Committed batches on their way to the listeners. Dispatch is deferred until the acknowledgements are written, since
/// the broker waits for these.
///
/// Batches are dispatched in the order in which they were added. The backlog is bounded: when it is full, the adding
/// thread dispatches it.
final class DeferredDispatch<Batch: Sendable>: Sendable {
    private struct State {
        var waiting: [Batch] = []
        var messages = 0
        var bytes = 0

        var isFull: Bool { messages > 4_096 || bytes > 8 * 1024 * 1024 }
    }

    /// The number of messages that are dispatched in less time than it takes to wake another thread twice.
    private static var few: Int { 32 }

    private let state = Locked(State())
    /// Serialises dispatch; counts the turns. (A lock around `Void` would share its address with its mutex, which
    /// ThreadSanitizer reports as a race.)
    private let turn = Locked<UInt64>(0)
    private let queue: any WorkQueue

    init(_ timing: Timing = .system) { queue = timing.makeQueue("mqtt-bridge.dispatch") }

    /// - Parameter body: Dispatches one batch. Calls do not overlap. It must not call this object.
    func add(_ batch: Batch, messages: Int, bytes: Int, _ body: (Batch) -> Void) {
        let isFull = state.withLock { state in
            state.waiting.append(batch)
            state.messages += messages
            state.bytes += bytes
            return state.isFull
        }
        if isFull { finish(body) }
    }

    /// Dispatches the backlog: on this thread if it is small, otherwise on a queue, so that the client's thread
    /// continues to read from the broker.
    func begin(_ body: @escaping @Sendable (Batch) -> Void) {
        let messages = state.withLock { $0.messages }
        if messages > Self.few {
            queue.run { self.finish(body) }
        } else if messages > 0 {
            finish(body)
        }
    }

    /// Returns once all batches that were added before are dispatched.
    func finish(_ body: (Batch) -> Void) {
        turn.withLock { turns in
            turns &+= 1
            while let batches = take() {
                for batch in batches { body(batch) }
            }
        }
    }

    private func take() -> [Batch]? {
        state.withLock { state in
            guard !state.waiting.isEmpty else { return nil }
            defer { state = State() }
            return state.waiting
        }
    }
}
