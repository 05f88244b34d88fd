internal import Glibc

/// Finds topics that came before by their bytes, without making a text of them.
///
/// Bounded: a topic has four places, by its hash, and where they are taken it takes the place of any of them. So of
/// some more topics than there are places, in turn, most are found.
final class TopicCache {
    /// A power of two.
    private static let places = 16_384
    /// The places of a topic. A power of two.
    private static let ways = 4
    /// Longer topics are not kept, in bytes: who sends many must not fill the memory.
    private static let longest = 512

    /// The places, and the hashes of their topics, apart, so that a search touches no other topic.
    @safe private struct Table {
        // SAFETY: both have all the places, initialized, for as long as the cache lives. As arrays of an object they
        // would be checked for conflicting accesses with each message.
        let topics: UnsafeMutablePointer<KnownTopic?>
        let hashes: UnsafeMutablePointer<Int>

        init() {
            unsafe topics = .allocate(capacity: TopicCache.places)
            unsafe topics.initialize(repeating: nil, count: TopicCache.places)
            unsafe hashes = .allocate(capacity: TopicCache.places)
            unsafe hashes.initialize(repeating: 0, count: TopicCache.places)
        }
    }

    /// Not before the first message: who only publishes needs none.
    private var table: Table?
    /// How many topics came, and so which of those that are in the way gives way.
    private var newcomers = 0

    deinit {
        guard let table else { return }
        unsafe table.topics.deinitialize(count: Self.places)
        unsafe table.topics.deallocate()
        unsafe table.hashes.deallocate()
    }

    /// The topic of a zero-terminated text.
    func topic(_ text: UnsafePointer<CChar>) -> KnownTopic {
        let count = unsafe strlen(text)
        guard count <= Self.longest else { return unsafe KnownTopic(String(cString: text)) }
        let table = table ?? Table()
        self.table = table
        let bytes = unsafe UnsafeRawBufferPointer(start: text, count: count)
        let hash = unsafe Self.hash(bytes)
        let first = hash & (Self.places - 1) & ~(Self.ways - 1)
        for place in first..<first + Self.ways where unsafe table.hashes[place] == hash {
            if let known = unsafe table.topics[place], unsafe known.text.hasBytes(bytes) { return known }
        }
        let topic = unsafe KnownTopic(String(cString: text))
        let free = (first..<first + Self.ways).first { unsafe table.topics[$0] == nil }
        let place = free ?? first + newcomers & (Self.ways - 1)
        newcomers &+= 1
        unsafe table.topics[place] = topic
        unsafe table.hashes[place] = hash
        return topic
    }

    /// Another one in each process, so that nobody can choose topics that get in each other's way.
    private static func hash(_ bytes: UnsafeRawBufferPointer) -> Int {
        var hasher = Hasher()
        unsafe hasher.combine(bytes: bytes)
        return hasher.finalize()
    }
}

extension String {
    fileprivate func hasBytes(_ bytes: UnsafeRawBufferPointer) -> Bool {
        // A text that is not contiguous is none of ours.
        unsafe utf8.withContiguousStorageIfAvailable { own in
            guard own.count == bytes.count else { return false }
            guard let left = own.baseAddress, let right = bytes.baseAddress else { return true }
            return unsafe memcmp(left, right, own.count) == 0
        } ?? false
    }
}
