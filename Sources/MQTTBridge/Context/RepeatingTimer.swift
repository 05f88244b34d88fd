import Locking

/// Runs work on a queue at once, then once a second, until it is cancelled or released.
final class RepeatingTimer: Sendable {
    private let queue: any WorkQueue
    private let work: @Sendable () -> Void
    private let isCancelled = Locked(false)

    init(_ queue: any WorkQueue, _ work: @escaping @Sendable () -> Void) {
        self.queue = queue
        self.work = work
        queue.run { [weak self] in self?.fire() }
    }

    private func fire() {
        guard !isCancelled.withLock({ $0 }) else { return }
        work()
        queue.run(after: .seconds(1)) { [weak self] in self?.fire() }
    }

    /// Cancels all later runs; a run that has begun continues.
    func cancel() { isCancelled.withLock { $0 = true } }
}
