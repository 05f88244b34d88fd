import Synchronization

/// Elements that the workers of a mailbox claim one by one, in order, without its lock.
///
/// Each element is claimed once, by whoever comes first: a worker that runs it, the emitter that displaces it, or who
/// closes the mailbox. A claimed element is moved out, so that a chunk keeps nothing alive that runs.
// SAFETY: the elements are written before the chunk is shared. Of those, each position is given out once, by one atomic
// addition, and only who got it touches the element there. `deinit` runs when nobody else refers to the chunk.
@safe
final class Chunk<Element: Sendable>: @unchecked Sendable {
    /// How firmly its elements wait.
    let standing: Standing
    private let count: Int
    private let elements: UnsafeMutablePointer<Element>
    private let claimed = Atomic<Int>(0)

    /// A chunk of the elements that `next` returns, one or more.
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

    /// How many elements nobody has claimed.
    var remaining: Int { max(0, count - claimed.load(ordering: .sequentiallyConsistent)) }

    /// How many elements somebody has claimed.
    var claimedCount: Int { count - remaining }

    /// Takes out the first element that nobody has claimed.
    func claim() -> Element? {
        // Claims that fail are not counted for ever.
        guard claimed.load(ordering: .relaxed) < count else { return nil }
        let position = claimed.wrappingAdd(1, ordering: .sequentiallyConsistent).oldValue
        return unsafe position < count ? (elements + position).move() : nil
    }

    /// Takes out all elements that nobody has claimed: there will be no other claim.
    func claimAll() -> [Element] {
        let first = claimed.exchange(count, ordering: .sequentiallyConsistent)
        guard first < count else { return [] }
        return (first..<count).map { unsafe (elements + $0).move() }
    }
}
