import Synchronization

/// Elements that the workers of a mailbox claim one by one, in order, without its lock.
///
/// Each element is claimed once, by the first claimant: a worker that runs it, the emitter that displaces it, or a
/// caller that closes the mailbox. A claim moves the element out, so that a chunk keeps no running element alive.
// SAFETY: the elements are written before the chunk is shared. Then one atomic addition assigns each position once, and
// only its claimant touches the element there. `deinit` runs without other references to the chunk.
@safe
final class Chunk<Element: Sendable>: @unchecked Sendable {
    let standing: Standing
    private let count: Int
    private let elements: UnsafeMutablePointer<Element>
    private let claimed = Atomic<Int>(0)

    /// Creates a chunk of the elements that `next` returns, one or more.
    init(count: Int, standing: Standing, next: () -> Element) {
        self.count = count
        self.standing = standing
        unsafe elements = .allocate(capacity: count)
        for position in 0..<count { unsafe (elements + position).initialize(to: next()) }
    }

    deinit {
        let first = min(claimed.load(ordering: .acquiring), count)
        unsafe (elements + first).deinitialize(count: count - first)
        unsafe elements.deallocate()
    }

    /// The number of unclaimed elements.
    var remaining: Int { max(0, count - claimed.load(ordering: .sequentiallyConsistent)) }

    /// The number of claimed elements.
    var claimedCount: Int { count - remaining }

    /// Claims the first unclaimed element.
    func claim() -> Element? {
        // Keeps the counter from overflowing.
        guard claimed.load(ordering: .relaxed) < count else { return nil }
        let position = claimed.wrappingAdd(1, ordering: .sequentiallyConsistent).oldValue
        return unsafe position < count ? (elements + position).move() : nil
    }

    /// Claims all unclaimed elements; later claims fail.
    func claimAll() -> [Element] {
        let first = claimed.exchange(count, ordering: .sequentiallyConsistent)
        guard first < count else { return [] }
        return (first..<count).map { unsafe (elements + $0).move() }
    }
}
