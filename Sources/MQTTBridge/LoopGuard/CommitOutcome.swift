import Dispatch
import Synchronization

/// The outcome of committing one batch. A client's thread that receives a copy of one of its messages from another
/// broker waits for it.
///
/// A thread waits only after its own commit has ended, so that two threads cannot deadlock.
final class CommitOutcome: Sendable {
    private let end = DispatchGroup()
    private let isCommitted = Atomic<Bool>(false)

    init() { end.enter() }

    /// Must be called exactly once.
    func ended(isStored: Bool) {
        isCommitted.store(isStored, ordering: .releasing)
        end.leave()
    }

    /// Blocks until the commit has ended. Returns whether the messages are stored.
    func wait() -> Bool {
        end.wait()
        return isCommitted.load(ordering: .acquiring)
    }
}
