/// Always draws the same end of a range.
struct Extreme: RandomNumberGenerator {
    /// Not 0, which `random(in:using:)` throws away and draws again, for ever.
    static let lowest = Extreme(value: 1)
    static let highest = Extreme(value: .max)

    let value: UInt64

    mutating func next() -> UInt64 { value }
}
