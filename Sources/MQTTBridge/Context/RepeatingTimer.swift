import Locking

/// Runs work on a queue now and then each second.
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

    /// The work is not run any more; a run that goes on comes to its end.
    func cancel() { isCancelled.withLock { $0 = true } }
}
