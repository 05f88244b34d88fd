import Foundation

/// Where the random numbers of a property test begin. A failing test prints it; `TEST_SEED=… swift test` repeats it.
package struct Seed: Sendable, CustomStringConvertible {
    /// The number.
    package let value: UInt64

    /// New ones in every run, or the one in the environment.
    package static func fresh(_ count: Int) -> [Seed] {
        if let given = ProcessInfo.processInfo.environment["TEST_SEED"].flatMap(UInt64.init) {
            return [Seed(value: given)]
        }
        return (0..<count).map { _ in Seed(value: .random(in: .min ... .max)) }
    }

    /// A generator that begins here.
    package var random: SplitMix64 { SplitMix64(seed: value) }

    /// What to set to repeat it.
    package var description: String { "TEST_SEED=\(value)" }
}
