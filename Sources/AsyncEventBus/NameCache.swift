/// The targets of names that came before.
///
/// Bounded: a name has four places, by its hash, and where they are taken it takes the place of one of those there. Grows
/// from a few places as names come. Pure.
struct NameCache: Sendable {
    private struct Entry: Sendable {
        let name: EventName
        let targets: Targets
    }

    /// The most places there are.
    private static let limit = 8_192
    private static let fewest = 64
    /// The places of a name. A power of two, as the others are.
    private static let ways = 4
    /// Longer names are not kept: who sends many must not fill the memory. In bytes.
    private static let longest = 512

    private var entries: [Entry?] = []
    /// The hashes of the entries, apart, so that a search counts no references. Zero where there is none.
    private var hashes: [UInt64] = []
    /// How many names came, and so which of those that are in the way gives way.
    private var newcomers = 0

    /// The targets that are kept for a name.
    subscript(name: EventName) -> Targets? {
        for place in places(of: name.bytesHash) where hashes[place] == name.bytesHash {
            if let entry = entries[place], entry.name == name { return entry.targets }
        }
        return nil
    }

    /// Keeps the targets of a name that has none here.
    mutating func insert(_ targets: Targets, for name: EventName) {
        guard name.text.utf8.count <= Self.longest else { return }
        if newcomers * 2 >= entries.count, entries.count < Self.limit { grow() }
        put(Entry(name: name, targets: targets))
    }

    private mutating func grow() {
        let known = entries
        let count = max(Self.fewest, known.count * 2)
        entries = Array(repeating: nil, count: count)
        hashes = Array(repeating: 0, count: count)
        newcomers = 0
        for case let entry? in known { put(entry) }
    }

    private mutating func put(_ entry: Entry) {
        let places = places(of: entry.name.bytesHash)
        // A name whose hash is zero looks like no name, and gives way first.
        let free = places.first { hashes[$0] == 0 }
        let place = free ?? places.lowerBound + newcomers & (Self.ways - 1)
        entries[place] = entry
        hashes[place] = entry.name.bytesHash
        newcomers &+= 1
    }

    private func places(of hash: UInt64) -> Range<Int> {
        guard !hashes.isEmpty else { return 0..<0 }
        let first = Int(truncatingIfNeeded: hash) & (hashes.count - 1) & ~(Self.ways - 1)
        return first..<first + Self.ways
    }
}
