internal import Glibc

/// Finds topics that came before by their bytes, without making a text of them.
///
/// Bounded: one topic for each place, and a newcomer takes the place of who was there. Pure.
struct TopicCache {
    /// A power of two.
    private static let places = 8_192
    /// Longer topics are not kept, in bytes: who sends many must not fill the memory.
    private static let longest = 512

    private var topics: [KnownTopic?] = []

    /// The topic of a zero-terminated text.
    mutating func topic(_ text: UnsafePointer<CChar>) -> KnownTopic {
        let count = unsafe strlen(text)
        guard count <= Self.longest else { return unsafe KnownTopic(String(cString: text)) }
        // Not before the first message: who only publishes needs none.
        if topics.isEmpty { topics = Array(repeating: nil, count: Self.places) }
        let bytes = unsafe UnsafeRawBufferPointer(start: text, count: count)
        let place = unsafe Self.hash(bytes) & (Self.places - 1)
        if let known = topics[place], unsafe known.text.hasBytes(bytes) { return known }
        let topic = unsafe KnownTopic(String(cString: text))
        topics[place] = topic
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
            unsafe own.elementsEqual(bytes)
        } ?? false
    }
}
