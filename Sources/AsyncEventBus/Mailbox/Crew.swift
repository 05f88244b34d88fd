import Synchronization

import Glibc

/// Counts the workers of a bus that wait for a thread, so that others do not keep theirs for nothing.
final class Crew: Sendable {
    /// How many threads the cooperative pool has: one for each processor.
    static let threads = max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))

    private let waiting = Atomic<Int>(0)

    /// Whether a worker waits for a thread.
    var isWaiting: Bool { waiting.load(ordering: .relaxed) > 0 }

    /// A worker is about to wait for a thread.
    func queued() { waiting.wrappingAdd(1, ordering: .relaxed) }

    /// A worker has got a thread.
    func began() { waiting.wrappingSubtract(1, ordering: .relaxed) }

    /// Gives the thread of a worker to those that wait for one.
    func yield() async {
        queued()
        await Task.yield()
        began()
    }
}
