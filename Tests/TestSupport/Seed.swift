import Foundation

/// Where the random numbers of a property test begin. A failing test prints it; `TEST_SEED=… swift test` repeats it.
public struct Seed: Sendable, CustomStringConvertible {
    /// The number.
    public let value: UInt64

    /// New ones in every run, or the one in the environment.
    public static func fresh(_ count: Int) -> [Seed] {
        if let given = ProcessInfo.processInfo.environment["TEST_SEED"].flatMap(UInt64.init) {
            return [Seed(value: given)]
        }
        return (0..<count).map { _ in Seed(value: .random(in: .min ... .max)) }
    }

    /// A generator that begins here.
    public var random: SplitMix64 { SplitMix64(state: value) }

    /// What to set to repeat it.
    public var description: String { "TEST_SEED=\(value)" }
}

/// A small generator of random numbers that a seed determines (Steele, Lea, Flood 2014).
public struct SplitMix64: RandomNumberGenerator {
    var state: UInt64

    /// A generator whose numbers this state determines.
    public init(state: UInt64) {
        self.state = state
    }

    /// The next number.
    public mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var result = state
        result = (result ^ (result >> 30)) &* 0xBF58_476D_1CE4_E5B9
        result = (result ^ (result >> 27)) &* 0x94D0_49BB_1331_11EB
        return result ^ (result >> 31)
    }

    /// From 0 up to a limit, which is not reached.
    public mutating func below(_ limit: Int) -> Int { Int.random(in: 0..<limit, using: &self) }

    /// True so many times in all.
    public mutating func chance(_ one: Int, in all: Int) -> Bool { below(all) < one }

    /// One of several.
    public mutating func pick<Element>(_ elements: [Element]) -> Element { elements[below(elements.count)] }
}
