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
    /// Drawn anew, so that nobody can choose topics that get in each other's way.
    private let seed = UInt64.random(in: .min ... .max)

    /// The topic of a zero-terminated text.
    mutating func topic(_ text: UnsafePointer<CChar>) -> KnownTopic {
        let count = unsafe strlen(text)
        guard count <= Self.longest else { return unsafe KnownTopic(String(cString: text)) }
        // Not before the first message: who only publishes needs none.
        if topics.isEmpty { topics = Array(repeating: nil, count: Self.places) }
        let bytes = unsafe UnsafeRawBufferPointer(start: text, count: count)
        let place = unsafe Int(truncatingIfNeeded: hash(bytes)) & (Self.places - 1)
        if let known = topics[place], unsafe known.text.hasBytes(bytes) { return known }
        let topic = unsafe KnownTopic(String(cString: text))
        topics[place] = topic
        return topic
    }

    /// One multiplication for each eight bytes.
    private func hash(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
        var hash = seed ^ UInt64(truncatingIfNeeded: bytes.count)
        var position = 0
        while position + 8 <= bytes.count {
            hash = mixed(hash ^ (unsafe bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self)))
            position += 8
        }
        var last: UInt64 = 0
        while position < bytes.count {
            last = last << 8 | UInt64(unsafe bytes[position])
            position += 1
        }
        return mixed(hash ^ last)
    }

    private func mixed(_ word: UInt64) -> UInt64 {
        let (high, low) = word.multipliedFullWidth(by: 0x9e37_79b9_7f4a_7c15)
        return high ^ low
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
