import AsyncEventBus
import DequeModule

/// Remembers the identities of recent events with digests of their content, bounded in number and in time. Pure.
///
/// Stores hashes with the seed of this process, as ``SeenWindow`` does.
struct CopyWindow {
    typealias Instant = ContinuousClock.Instant

    /// How an inbound event compares with the remembered ones.
    enum Copy: Hashable {
        case first
        /// The identity is known with the same content.
        case again
        /// The identity is known with other content: one of the two is forged, or was changed on the way.
        case changed
    }

    private struct Known {
        let digest: UInt64
        /// The entry of `order` that belongs to it: a removed identity may have been inserted again.
        let number: UInt64
    }

    private let capacity: Int
    private let span: Duration
    private var known: [Int: Known] = [:]
    private var order = Deque<(hash: Int, number: UInt64, at: Instant)>()
    private var number: UInt64 = 0
    /// The second and later contents of identities with several contents.
    private var others: SeenWindow

    init(capacity: Int = 65_536, span: Duration = .seconds(600)) {
        self.capacity = capacity
        self.span = span
        others = SeenWindow(capacity: capacity, span: span)
    }

    /// Remembers an identity and its content. Returns how they compare with the remembered ones.
    mutating func insert(_ key: some Hashable, _ digest: UInt64, at now: Instant) -> Copy {
        while let oldest = order.first, oldest.at + span < now { removeOldest() }
        let hash = key.hashValue
        if let known = known[hash] {
            guard known.digest != digest else { return .again }
            return others.insert([UInt64(bitPattern: Int64(hash)), digest], at: now) ? .changed : .again
        }
        number += 1
        known[hash] = Known(digest: digest, number: number)
        order.append((hash, number, now))
        if order.count > capacity { removeOldest() }
        return .first
    }

    /// Forgets an identity with this content.
    mutating func remove(_ key: some Hashable, _ digest: UInt64) {
        let hash = key.hashValue
        if known[hash]?.digest == digest {
            known[hash] = nil
        } else {
            others.remove([UInt64(bitPattern: Int64(hash)), digest])
        }
    }

    private mutating func removeOldest() {
        guard let oldest = order.popFirst(), known[oldest.hash]?.number == oldest.number else { return }
        known[oldest.hash] = nil
    }
}
