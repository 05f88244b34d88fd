import DequeModule

/// A table that forgets the entry that was written longest ago when there are too many. Pure.
struct BoundedTable<Value: Sendable>: Sendable {
    static var mostEntries: Int { 10_000 }

    private struct Entry {
        let value: Value
        let number: UInt64
    }

    private var entries: [ExactText: Entry] = [:]
    /// The writes, the oldest first; one that is not the latest of its key is outdated.
    private var writes: Deque<(key: ExactText, number: UInt64)> = []
    private var latest: UInt64 = 0

    var count: Int { entries.count }

    subscript(key: String) -> Value? {
        get { entries[ExactText(key)]?.value }
        set {
            let key = ExactText(key)
            guard let newValue else {
                entries[key] = nil
                return
            }
            latest += 1
            entries[key] = Entry(value: newValue, number: latest)
            writes.append((key, latest))
            while entries.count > Self.mostEntries || writes.count > 2 * Self.mostEntries,
                let oldest = writes.popFirst()
            {
                if entries[oldest.key]?.number == oldest.number { entries[oldest.key] = nil }
            }
        }
    }
}

/// When keys were last used. Pure.
struct RecentKeys<Instant: InstantProtocol>: Sendable where Instant.Duration == Duration {
    private var uses = BoundedTable<Instant>()

    /// Records a use, unless the last one is less than an interval ago. Returns whether it was recorded.
    mutating func note(_ key: String, at now: Instant, for interval: Duration) -> Bool {
        if let last = uses[key], last.duration(to: now) < interval { return false }
        uses[key] = now
        return true
    }

    mutating func forget(_ key: String) { uses[key] = nil }
}
