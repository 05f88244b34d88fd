import Synchronization

import Glibc

/// Counts the workers of a bus that wait for a thread, so that other workers release theirs in time.
final class Crew: Sendable {
    /// The number of threads of the cooperative pool: one for each processor.
    static let threads = max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))

    private let waiting = Atomic<Int>(0)

    /// Whether a worker waits for a thread.
    var isWaiting: Bool { waiting.load(ordering: .relaxed) > 0 }

    /// Records that a worker waits for a thread.
    func queued() { waiting.wrappingAdd(1, ordering: .relaxed) }

    /// Records that a worker has got a thread.
    func began() { waiting.wrappingSubtract(1, ordering: .relaxed) }

    /// Yields the thread of a worker to waiting workers.
    func yield() async {
        queued()
        await Task.yield()
        began()
    }
}
