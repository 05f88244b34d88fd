import Testing

@testable import Simulation

@Suite("History")
struct HistoryTests {
    @Test("a seed makes one history, other seeds make others")
    func seeds() {
        #expect(History(seed: 5) == History(seed: 5))
        #expect(Set((1...100).map { History(seed: $0).steps }).count == 100)
        #expect((1...200).allSatisfy { (5...30).contains(History(seed: $0).steps.count) })
    }

    @Test("every kind of action occurs")
    func kinds() {
        let kinds = Set((1...300).flatMap { History(seed: $0).steps.map { "\($0.action)".prefix { $0 != "(" } } })
        #expect(kinds.count == 16)
    }

    @Test("the shortest form has what fails, and nothing else", arguments: 1...20)
    func shortened(seed: UInt64) {
        let history = History(seed: seed)
        let needed = [history.steps.first, history.steps.last].compactMap { $0 }
        var runs = 0
        let shortest = history.shortened { candidate in
            runs += 1
            return needed.allSatisfy(candidate.steps.contains)
        }
        #expect(Set(shortest.steps) == Set(needed))
        #expect(shortest.seed == seed)
        #expect(runs < 300)
    }
}
