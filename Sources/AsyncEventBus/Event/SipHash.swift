/// SipHash-1-3 (Aumasson and Bernstein 2012), word by word: unpredictable without the key.
///
/// To hash texts of several lengths, include the length in the last word, as the paper does.
package struct SipHash: Sendable {
    @usableFromInline var v0, v1, v2, v3: UInt64

    @inlinable
    package init(_ key: (UInt64, UInt64)) {
        v0 = key.0 ^ 0x736f_6d65_7073_6575
        v1 = key.1 ^ 0x646f_7261_6e64_6f6d
        v2 = key.0 ^ 0x6c79_6765_6e65_7261
        v3 = key.1 ^ 0x7465_6462_7974_6573
    }

    /// Adds the next word.
    @inlinable
    package mutating func take(_ word: UInt64) {
        v3 ^= word
        round()
        v0 ^= word
    }

    /// Returns the hash of the words. Call it once, at the end.
    @inlinable
    package mutating func finish() -> UInt64 {
        v2 ^= 0xff
        for _ in 0..<3 { round() }
        return v0 ^ v1 ^ v2 ^ v3
    }

    @inlinable
    mutating func round() {
        v0 &+= v1
        v1 = (v1 << 13 | v1 >> 51) ^ v0
        v0 = v0 << 32 | v0 >> 32
        v2 &+= v3
        v3 = (v3 << 16 | v3 >> 48) ^ v2
        v0 &+= v3
        v3 = (v3 << 21 | v3 >> 43) ^ v0
        v2 &+= v1
        v1 = (v1 << 17 | v1 >> 47) ^ v2
        v2 = v2 << 32 | v2 >> 32
    }
}
