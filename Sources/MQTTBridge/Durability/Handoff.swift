import Dispatch
import Locking

/// What was committed and is on its way to the listeners: it can wait until the acknowledgements are out, which the
/// broker is waiting for.
///
/// In the order in which it was added. When too much waits, whoever adds works it off: what waits is bounded.
final class Handoff<Batch: Sendable>: Sendable {
    private struct State {
        var waiting: [Batch] = []
        var messages = 0
        var bytes = 0

        var isFull: Bool { messages > 4_096 || bytes > 8 * 1024 * 1024 }
    }

    /// So many messages are handed over in less time than it takes to wake another thread twice.
    private static var few: Int { 32 }

    private let state = Locked(State())
    /// Held by whoever works off; how often somebody has. (A lock around nothing would lie where its mutex lies, which
    /// ThreadSanitizer takes for a race.)
    private let turn = Locked<UInt64>(0)
    private let queue = DispatchQueue(label: "mqtt-bridge.handoff")

    /// - Parameter body: Takes one batch to the listeners. It is called for one after the other, and must not call this
    ///   object.
    func add(_ batch: Batch, messages: Int, bytes: Int, _ body: (Batch) -> Void) {
        let isFull = state.withLock { state in
            state.waiting.append(batch)
            state.messages += messages
            state.bytes += bytes
            return state.isFull
        }
        if isFull { finish(body) }
    }

    /// Sees to it that what waits is worked off: here, where that is little, else on a thread of its own, so that the one
    /// that reads from the broker goes on.
    func begin(_ body: @escaping @Sendable (Batch) -> Void) {
        let messages = state.withLock { $0.messages }
        if messages > Self.few {
            queue.async { self.finish(body) }
        } else if messages > 0 {
            finish(body)
        }
    }

    /// Returns once everything is worked off that was added before.
    func finish(_ body: (Batch) -> Void) {
        turn.withLock { turns in
            turns &+= 1
            while let batches = take() {
                for batch in batches { body(batch) }
            }
        }
    }

    /// Nil when there is nothing.
    private func take() -> [Batch]? {
        state.withLock { state in
            guard !state.waiting.isEmpty else { return nil }
            defer { state = State() }
            return state.waiting
        }
    }
}
