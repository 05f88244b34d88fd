internal import Glibc

/// Finds known topics by their bytes, without creating a string.
///
/// Bounded: the hash of a topic selects a set of four places, and a new topic in a full set replaces one of them in
/// turn. So with somewhat more topics than places, received in a cycle, most are found.
final class TopicCache {
    /// A power of two.
    private static let places = 16_384
    /// The places in a set. A power of two.
    private static let ways = 4
    /// The longest cached topic, in bytes: bounds the memory that a sender of many topics can fill.
    private static let longest = 512

    /// Topics and hashes in separate arrays, so that a search touches no other topic.
    @safe private struct Table {
        // SAFETY: both have all places initialised for the lifetime of the cache. Array properties would be checked for
        // exclusive access per message.
        let topics: UnsafeMutablePointer<KnownTopic?>
        let hashes: UnsafeMutablePointer<Int>

        init() {
            unsafe topics = .allocate(capacity: TopicCache.places)
            unsafe topics.initialize(repeating: nil, count: TopicCache.places)
            unsafe hashes = .allocate(capacity: TopicCache.places)
            unsafe hashes.initialize(repeating: 0, count: TopicCache.places)
        }
    }

    /// Created with the first message: a client that only publishes needs none.
    private var table: Table?
    /// The number of added topics: selects the place that a new topic takes over in a full set.
    private var newcomers = 0

    deinit {
        guard let table else { return }
        unsafe table.topics.deinitialize(count: Self.places)
        unsafe table.topics.deallocate()
        unsafe table.hashes.deallocate()
    }

    /// The topic of a zero-terminated string.
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

    /// Seeded per process, so that no sender can choose topics that collide.
    private static func hash(_ bytes: UnsafeRawBufferPointer) -> Int {
        var hasher = Hasher()
        unsafe hasher.combine(bytes: bytes)
        return hasher.finalize()
    }
}

extension String {
    fileprivate func hasBytes(_ bytes: UnsafeRawBufferPointer) -> Bool {
        // A string without contiguous UTF-8 did not come from this cache.
        unsafe utf8.withContiguousStorageIfAvailable { own in
            guard own.count == bytes.count else { return false }
            guard let left = own.baseAddress, let right = bytes.baseAddress else { return true }
            return unsafe memcmp(left, right, own.count) == 0
        } ?? false
    }
}
