import Testing

@testable import AsyncEventBus
import TestSupport

@Suite("RetryPolicy")
struct RetryPolicyTests {
    @Test("without a policy there is one attempt")
    func never() {
        #expect(RetryPolicy.never.attempts == 1)
        #expect(Listener("l") { _ in }.retry == .never)
    }

    @Test(
        "each pause lies between the shortest and three times the one before, and is never above the longest",
        arguments: Seed.fresh(4)
    )
    func bounds(seed: Seed) {
        var random = seed.random
        for _ in 0..<200 {
            let shortest = Duration.milliseconds(random.below(2_000))
            let policy = RetryPolicy(
                attempts: 3,
                shortest: shortest,
                longest: shortest + .milliseconds(random.below(60_000))
            )
            var previous: Duration?
            for _ in 0..<12 {
                let pause = policy.pause(after: previous, using: &random)
                let limit = min(policy.longest, max((previous ?? shortest) * 3, shortest))
                #expect(pause >= shortest && pause <= limit, "\(policy) after \(String(describing: previous)), \(seed)")
                previous = pause
            }
        }
    }

    @Test("pauses grow, and differ from one another", arguments: Seed.fresh(4))
    func growth(seed: Seed) {
        var random = seed.random
        let policy = RetryPolicy(attempts: 3)
        var pauses: [Duration] = []
        for _ in 0..<40 { pauses.append(policy.pause(after: pauses.last, using: &random)) }
        #expect(Set(pauses).count > 30, "\(seed)")
        #expect(pauses.contains { $0 > .seconds(9) }, "\(seed)")
    }

    @Test("the ends of the range of durations are no trap", arguments: [0, 0.5, 1])
    func extremes(fraction: Double) {
        let most = Duration(attoseconds: .max)
        let none = RetryPolicy(attempts: 2, shortest: .zero, longest: .zero)
        #expect(none.pause(after: nil, fraction: fraction) == .zero)
        #expect(none.pause(after: .seconds(5), fraction: fraction) == .zero)
        let fixed = RetryPolicy(attempts: 2, shortest: .seconds(3), longest: .seconds(3))
        #expect(fixed.pause(after: .seconds(3), fraction: fraction) == .seconds(3))
        let wide = RetryPolicy(attempts: 2, shortest: .zero, longest: most)
        #expect(wide.pause(after: most / 2, fraction: fraction) <= most)
    }
}
