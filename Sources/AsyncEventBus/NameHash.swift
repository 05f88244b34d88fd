/// A hash of the bytes of names and segments: one multiplication for each eight bytes.
///
/// Begins with a number that is drawn in each process, so that nobody who sends names can choose those that collide.
enum NameHash {
    private static let seed = UInt64.random(in: .min ... .max)

    /// The hash of all bytes of a text.
    static func of(_ text: String) -> UInt64 {
        var text = text
        return text.withUTF8 { of(UnsafeRawBufferPointer($0)) }
    }

    /// The hash of bytes.
    static func of(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
        var hash = seed ^ UInt64(truncatingIfNeeded: bytes.count)
        var position = 0
        while position + 8 <= bytes.count {
            hash = mixed(hash ^ bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self))
            position += 8
        }
        guard position < bytes.count else { return hash }
        var last: UInt64 = 0
        while position < bytes.count {
            last = last << 8 | UInt64(bytes[position])
            position += 1
        }
        return mixed(hash ^ last)
    }

    /// Spreads the bits of a word.
    static func mixed(_ word: UInt64) -> UInt64 {
        // An odd number with as many ones as zeros, in no pattern: the golden ratio.
        let (high, low) = word.multipliedFullWidth(by: 0x9e37_79b9_7f4a_7c15)
        return high ^ low
    }
}
