/// A hash of the bytes of names and segments, with one multiplication per eight bytes.
///
/// The seed is random in each process, so that a sender cannot choose names that collide.
enum NameHash {
    private static let seed = UInt64.random(in: .min ... .max)
    /// 2^64 divided by the golden ratio, as in Fibonacci hashing.
    private static let goldenRatio: UInt64 = 0x9e37_79b9_7f4a_7c15

    static func of(_ text: String) -> UInt64 {
        var text = text
        return text.withUTF8 { unsafe of(UnsafeRawBufferPointer($0)) }
    }

    static func of(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
        // Includes the length, so that texts of different lengths do not cancel out: the difference of the sums depends
        // on the seed.
        var hash = seed &+ UInt64(truncatingIfNeeded: bytes.count) &* goldenRatio
        guard bytes.count > 8 else { return unsafe mixed(hash ^ bytes.head) }
        var position = 0
        while position + 8 < bytes.count {
            hash = unsafe mixed(hash ^ bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self))
            position += 8
        }
        // The last eight bytes may overlap the previous word.
        return unsafe mixed(hash ^ bytes.loadUnaligned(fromByteOffset: bytes.count - 8, as: UInt64.self))
    }

    /// Spreads the bits of a word.
    static func mixed(_ word: UInt64) -> UInt64 {
        let (high, low) = word.multipliedFullWidth(by: goldenRatio)
        return high ^ low
    }
}

extension UnsafeRawBufferPointer {
    /// A word of the first eight bytes, or of all bytes if there are fewer. Texts of the same length that differ in
    /// these bytes have different words.
    var head: UInt64 {
        switch count {
        case 8...: unsafe loadUnaligned(as: UInt64.self)
        case 4...:
            unsafe pair(loadUnaligned(as: UInt32.self), loadUnaligned(fromByteOffset: count - 4, as: UInt32.self))
        case 1...: unsafe pair(UInt32(self[0]) << 8 | UInt32(self[count / 2]), UInt32(self[count - 1]))
        default: 0
        }
    }

    private func pair(_ high: UInt32, _ low: UInt32) -> UInt64 { UInt64(high) << 32 | UInt64(low) }
}
