import TestSupport
import Testing

@testable import AsyncEventBus

@Suite("NameHash")
struct NameHashTests {
    @Test("texts of the same length up to eight bytes have the same head only if they are the same", arguments: 0...8)
    func head(length: Int) {
        var random = Seed.fresh(1)[0].random
        for _ in 0..<2_000 {
            // Two values a byte, so that equal texts and those that differ in one byte are frequent.
            let (left, right) = (random.bits(length), random.bits(length))
            let heads = [left, right].map { $0.withUnsafeBytes(\.head) }
            #expect((left == right) == (heads[0] == heads[1]), "\(left) \(right)")
        }
    }

    @Test("each byte of a text counts in its hash, and its length", arguments: [1, 3, 4, 7, 8, 9, 15, 16, 17, 40])
    func everyByte(length: Int) {
        let text = [UInt8](repeating: 65, count: length)
        var hashes: Set<UInt64> = [Self.hash(text), Self.hash(text + [65])]
        for position in text.indices {
            var other = text
            other[position] = 66
            hashes.insert(Self.hash(other))
        }
        #expect(hashes.count == length + 2)
    }

    private static func hash(_ bytes: [UInt8]) -> UInt64 { bytes.withUnsafeBytes { NameHash.of($0) } }
}

extension SplitMix64 {
    fileprivate mutating func bits(_ count: Int) -> [UInt8] { (0..<count).map { _ in UInt8(below(2)) } }
}
