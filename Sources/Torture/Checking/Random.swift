internal import FaultKit

extension SplitMix64 {
    /// Creates a generator with different numbers for each scenario of a run (FNV-1a over the name).
    init(seed: UInt64, scenario: String) {
        self.init(seed: scenario.utf8.reduce(seed ^ 0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 })
    }

    mutating func milliseconds(_ range: ClosedRange<Int>) -> Duration {
        .milliseconds(Int.random(in: range, using: &self))
    }
}
