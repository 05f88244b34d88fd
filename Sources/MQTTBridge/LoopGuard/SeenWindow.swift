import DequeModule

/// A set of recent keys, bounded in number and in time. Pure.
///
/// Stores hashes with the seed of this process, so that no client can provoke collisions. With 64 bits and tens of
/// thousands of entries a new key collides with a probability of about 10⁻¹⁴.
struct SeenWindow {
    typealias Instant = ContinuousClock.Instant

    let capacity: Int
    let span: Duration
    private var known: Set<Int> = []
    private var order = Deque<(hash: Int, at: Instant)>()

    init(capacity: Int = 65_536, span: Duration = .seconds(600)) {
        self.capacity = capacity
        self.span = span
    }

    /// Remembers a key. Returns whether it was new.
    mutating func insert(_ key: some Hashable, at now: Instant) -> Bool {
        while let oldest = order.first, oldest.at + span < now { removeOldest() }
        let hash = key.hashValue
        guard known.insert(hash).inserted else { return false }
        order.append((hash, now))
        if order.count > capacity { removeOldest() }
        return true
    }

    /// Forgets a key and its entry in the order, so that it counts as newest when it is inserted again. Returns whether
    /// it was known.
    @discardableResult
    mutating func remove(_ key: some Hashable) -> Bool {
        let hash = key.hashValue
        guard known.remove(hash) != nil else { return false }
        // Searches from the end, since removed keys are usually recent.
        if let place = order.lastIndex(where: { $0.hash == hash }) { order.remove(at: place) }
        return true
    }

    private mutating func removeOldest() {
        if let oldest = order.popFirst() { known.remove(oldest.hash) }
    }
}
