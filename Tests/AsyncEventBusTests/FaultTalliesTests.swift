import Testing

@testable import AsyncEventBus

@Suite("FaultTallies")
struct FaultTalliesTests {
    private let start = ContinuousClock.now
    private let example = FaultTallies.Example(event: "a", text: "t")

    private func key(_ listener: String, _ kind: FaultTallies.Kind = .failed) -> FaultTallies.Key {
        FaultTallies.Key(listener: listener, kind: kind)
    }

    @Test("the first is told at once, the next after a second with the number it stands for")
    func rate() {
        var tallies = FaultTallies()
        let counts = [0, 1, 999, 1_000, 1_001, 2_500].map { milliseconds in
            tallies.count(key("l"), 2, example, at: start + .milliseconds(milliseconds))?.count
        }
        #expect(counts == [2, nil, nil, 6, nil, 4])
    }

    @Test("what a burst leaves is told when the second is over, once")
    func rest() {
        var tallies = FaultTallies()
        for _ in 0..<5 { _ = tallies.count(key("l"), 1, example, at: start) }
        #expect(tallies.hasUntold)
        #expect(tallies.due(at: start + .milliseconds(999)).isEmpty)
        #expect(tallies.due(at: start + .seconds(1)).map(\.count) == [4])
        #expect(!tallies.hasUntold)
        #expect(tallies.due(at: start + .seconds(9)).isEmpty)
    }

    @Test("listeners and kinds are counted apart, as far as the table goes, and then together; a quiet second frees it")
    func bounded() {
        var tallies = FaultTallies()
        for number in 0..<FaultTallies.limit {
            let key = key("\(number / 2)", number % 2 == 0 ? .failed : .overflowed)
            let telling = tallies.count(key, 1, example, at: start)
            #expect(telling?.key == key)
        }
        let first = tallies.count(key("x"), 1, example, at: start)
        #expect(first?.key == key(FaultTallies.others))
        #expect(tallies.count(key("y"), 1, example, at: start) == nil)
        let later = tallies.count(key("z"), 1, example, at: start + .seconds(1))
        #expect(later?.key == key("z"))
    }
}
