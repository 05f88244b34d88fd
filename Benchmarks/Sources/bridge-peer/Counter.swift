import AsyncEventBus
import Synchronization

/// Counts events, and lets one task wait for all of them.
final class Counter: Sendable {
    private let target: Int
    private let count = Atomic(0)
    private let whole: AsyncStream<Void>.Continuation
    private let end: AsyncStream<Void>

    /// A counter that waits for so many.
    init(target: Int) {
        self.target = target
        (end, whole) = AsyncStream.makeStream()
    }

    /// How many came.
    var value: Int { count.load(ordering: .relaxed) }

    /// One more came.
    func increment() {
        if count.add(1, ordering: .relaxed).newValue == target { whole.finish() }
    }

    /// Returns once all came, or what is missing was discarded: looks for that every five milliseconds.
    func becomeComplete(discarded: @Sendable @escaping () -> Int) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { for await _ in self.end {} }
            group.addTask {
                while self.value + discarded() < self.target { try await Task.sleep(for: .milliseconds(5)) }
            }
            try await group.next()
            group.cancelAll()
        }
    }
}
