/// The receivers of names that come again and again.
///
/// Of a name that comes for the first time the hash is kept, and only when it comes again its receivers: names that never
/// come again cost no more than that.
///
/// Bounded: a name has four places, by its hash, and where they are taken it takes the place of one of those there. Grows
/// from a few places as names come. Pure.
struct NameCache: Sendable {
    private struct Entry: Sendable {
        let name: EventName
        let receivers: Receivers
    }

    /// The most places there are.
    private static let limit = 8_192
    private static let fewest = 64
    /// The places of a name. A power of two, as the others are.
    private static let ways = 4
    /// Longer names are not kept: who sends many must not fill the memory. In bytes.
    private static let longest = 512

    private var entries: [Entry?] = []
    /// The hashes of the entries, apart, so that a search counts no references, and those of names that came once. Zero
    /// where there is none.
    private var hashes: [UInt64] = []
    /// How many names came, and so which of those that are in the way gives way.
    private var newcomers = 0

    /// The receivers that are kept for a name.
    subscript(name: EventName) -> Receivers? {
        for place in places(of: name.bytesHash) where hashes[place] == name.bytesHash {
            if let entry = entries[place], entry.name == name { return entry.receivers }
        }
        return nil
    }

    /// A name came that has no receivers here: keeps them if it came before.
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
        // A name whose hash is zero looks like no name, and gives way first.
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
