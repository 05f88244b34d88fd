import AsyncEventBus
import MessageStore

/// A keyed hash, unpredictable and collision-resistant without the key: SipHash-1-3 (Aumasson and Bernstein 2012).
///
/// Unlike Swift's hash it can use the same key in the next process, so that digests in the store stay comparable.
struct KeyedHash: Sendable {
    private static let textName = "key of digests"

    private let key: (UInt64, UInt64)

    /// Uses a random key.
    init() {
        key = (.random(in: .min ... .max), .random(in: .min ... .max))
    }

    /// Uses the key in the store, and stores a random one if there is none.
    init(_ store: any MessageStore) throws(StoreError) {
        let fresh = KeyedHash()
        self = Self(text: try store.text(named: Self.textName, initial: fresh.text)) ?? fresh
    }

    init(_ first: UInt64, _ second: UInt64) {
        key = (first, second)
    }

    private init?(text: String) {
        let halves = text.split(separator: " ").compactMap { UInt64($0, radix: 16) }
        guard halves.count == 2 else { return nil }
        key = (halves[0], halves[1])
    }

    private var text: String { String(key.0, radix: 16) + " " + String(key.1, radix: 16) }

    func callAsFunction(_ bytes: [UInt8]) -> UInt64 {
        bytes.withUnsafeBytes { bytes in
            var hash = SipHash(key)
            let whole = bytes.count & ~7
            for position in stride(from: 0, to: whole, by: 8) {
                hash.take(UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self)))
            }
            var last = UInt64(truncatingIfNeeded: bytes.count) << 56
            for position in whole..<bytes.count { last |= UInt64(bytes[position]) << UInt64(8 * (position - whole)) }
            hash.take(last)
            return hash.finish()
        }
    }
}
