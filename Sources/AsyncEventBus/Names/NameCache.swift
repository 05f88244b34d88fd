/// A cache of the receivers of repeated names.
///
/// The first look-up of a name stores only its hash, the second its receivers. So names that never repeat cost little.
///
/// Bounded and set-associative: the hash of a name selects four entries; if all are taken, one is evicted. Grows with
/// the number of names. Pure.
struct NameCache: Sendable {
    private struct Entry: Sendable {
        let name: EventName
        let receivers: Receivers
    }

    /// The maximum number of entries.
    private static let limit = 8_192
    private static let fewest = 64
    /// The number of entries that a hash selects: a power of two, as ``limit`` and ``fewest`` are.
    private static let ways = 4
    /// The longest name to cache, in bytes. Bounds the memory that a sender can fill.
    private static let longest = 512

    private var entries: [Entry?] = []
    /// The hashes of the entries and of names looked up once; 0 for an empty slot. Separate from the entries, so that a
    /// search retains no references.
    private var hashes: [UInt64] = []
    /// The number of insertions since the last growth; also selects the entry to evict.
    private var newcomers = 0

    /// The cached receivers of a name.
    subscript(name: EventName) -> Receivers? {
        for place in places(of: name.bytesHash) where hashes[place] == name.bytesHash {
            if let entry = entries[place], entry.name == name { return entry.receivers }
        }
        return nil
    }

    /// Records a look-up that missed the cache. Stores the receivers if the hash was already recorded.
    mutating func note(_ receivers: Receivers, for name: EventName) {
        guard name.text.utf8.count <= Self.longest else { return }
        let hash = name.bytesHash
        if let place = places(of: hash).first(where: { hashes[$0] == hash }) {
            entries[place] = Entry(name: name, receivers: receivers)
        } else {
            if newcomers * 2 >= entries.count, entries.count < Self.limit { grow() }
            put(hash, nil)
        }
    }

    private mutating func grow() {
        let known = zip(hashes, entries)
        let count = max(Self.fewest, entries.count * 2)
        entries = Array(repeating: nil, count: count)
        hashes = Array(repeating: 0, count: count)
        newcomers = 0
        for (hash, entry) in known where hash != 0 { put(hash, entry) }
    }

    private mutating func put(_ hash: UInt64, _ entry: Entry?) {
        let places = places(of: hash)
        // A name whose hash is 0 looks like an empty slot, and is evicted first.
        let free = places.first { hashes[$0] == 0 }
        let place = free ?? places.lowerBound + newcomers & (Self.ways - 1)
        entries[place] = entry
        hashes[place] = hash
        newcomers &+= 1
    }

    private func places(of hash: UInt64) -> Range<Int> {
        guard !hashes.isEmpty else { return 0..<0 }
        let first = Int(truncatingIfNeeded: hash) & (hashes.count - 1) & ~(Self.ways - 1)
        return first..<first + Self.ways
    }
}
