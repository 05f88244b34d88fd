import TestSupport

extension SplitMix64 {
    /// Bytes in which each place is told from the next ones.
    mutating func bytes(_ count: Int) -> [UInt8] {
        let words = (0..<(count + 7) / 8).map { _ in next() }
        return words.withUnsafeBytes { Array($0.prefix(count)) }
    }

    /// A number of bytes: few, some, or about as many as a buffer holds, which is 65,536.
    mutating func size() -> Int {
        let most = pick([4, 200, 5_000, 65_536, 150_000])
        return chance(1, in: 10) ? pick([65_535, 65_536, 65_537]) : Int.random(in: 1...most, using: &self)
    }
}

extension Collection<UInt8> where Index == Int {
    /// So many bytes from a place on, or as many as there are.
    func piece(from start: Int, _ count: Int) -> SubSequence { self[start..<Swift.min(endIndex, start + count)] }
}

/// Whether these are the same bytes; a test that compares them itself would print them all.
func isSame(_ left: [UInt8]?, _ right: some Collection<UInt8>) -> Bool { left == Array(right) }
