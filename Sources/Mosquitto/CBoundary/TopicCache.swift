internal import Glibc

/// Finds topics that came before by their bytes, without making a text of them.
///
/// Bounded: a topic has four places, by its hash, and where they are taken it takes the place of any of them. So of
/// some more topics than there are places, in turn, most are found. Pure.
struct TopicCache {
    /// A power of two.
    private static let places = 16_384
    /// The places of a topic. A power of two.
    private static let ways = 4
    /// Longer topics are not kept, in bytes: who sends many must not fill the memory.
    private static let longest = 512

    private var topics: [KnownTopic?] = []
    /// The hashes of the topics, apart, so that a search touches no other topic.
    private var hashes: [Int] = []
    /// How many topics came, and so which of those that are in the way gives way.
    private var newcomers = 0

    /// The topic of a zero-terminated text.
    mutating func topic(_ text: UnsafePointer<CChar>) -> KnownTopic {
        let count = unsafe strlen(text)
        guard count <= Self.longest else { return unsafe KnownTopic(String(cString: text)) }
        // Not before the first message: who only publishes needs none.
        if topics.isEmpty {
            topics = Array(repeating: nil, count: Self.places)
            hashes = Array(repeating: 0, count: Self.places)
        }
        let bytes = unsafe UnsafeRawBufferPointer(start: text, count: count)
        let hash = unsafe Self.hash(bytes)
        let first = hash & (Self.places - 1) & ~(Self.ways - 1)
        for place in first..<first + Self.ways where hashes[place] == hash {
            if let known = topics[place], unsafe known.text.hasBytes(bytes) { return known }
        }
        let topic = unsafe KnownTopic(String(cString: text))
        let free = (first..<first + Self.ways).first { topics[$0] == nil }
        let place = free ?? first + newcomers & (Self.ways - 1)
        newcomers &+= 1
        topics[place] = topic
        hashes[place] = hash
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
