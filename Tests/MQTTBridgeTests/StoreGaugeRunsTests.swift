import MessageStore
import TestSupport
import Testing

@testable import MQTTBridge

@Suite("Store gauge: messages that come together")
struct StoreGaugeRunsTests {
    private func gauge(_ policy: StorePolicy = .block) -> StoreGauge {
        var options = StoreOptions()
        options.limits = StoreLimits(messages: 8, bytes: 100)
        options.policy = policy
        return StoreGauge(
            options,
            routes: [.limited("r", nil, StoreLimits(messages: 4, bytes: 1_000)), .limited("s", nil)]
        )
    }

    private func runs(_ items: [(route: String, size: Int)]) -> [StoreGauge.Run] {
        items.reduce(into: []) { $0.add($1.route, bytes: $1.size) }
    }

    @Test("messages of one route that follow one another are one run")
    func runs() {
        let runs = runs([("r", 1), ("r", 2), ("s", 3), ("r", 4)])
        #expect(
            runs == [
                .init(route: "r", messages: 2, bytes: 3), .init(route: "s", messages: 1, bytes: 3),
                .init(route: "r", messages: 1, bytes: 4),
            ]
        )
    }

    @Test("counted together or one by one, the same is kept and counted", arguments: Seed.fresh(20))
    func equivalence(_ seed: Seed) {
        var random = seed.random
        let policy = random.pick(StorePolicy.allCases)
        var (together, single) = (gauge(policy), gauge(policy))
        for step in 1...40 {
            let items = (0..<random.below(5)).map { _ in (route: random.pick(["r", "s"]), size: random.below(20)) }
            var (evictionScopes, singleCrowds): (Set<StoreGauge.EvictionScope>, Set<StoreGauge.EvictionScope>) = (
                [], []
            )
            let refused =
                together.takes(.inbound, runs(items)) ? [] : together.refusals(.inbound, items, &evictionScopes)
            let singleRefused = single.refusals(.inbound, items, &singleCrowds)
            #expect(refused == singleRefused, "step \(step), \(seed)")
            #expect(evictionScopes == singleCrowds, "step \(step), \(seed)")
            let kept = items.enumerated().filter { !refused.contains($0.offset) }.map(\.element)
            if random.chance(2, in: 3) {
                together.remove(.inbound, runs(kept))
                for item in kept { single.remove(.inbound, route: item.route, bytes: item.size) }
            }
            #expect(together.messages(.inbound) == single.messages(.inbound), "step \(step), \(seed)")
            for route in ["r", "s"] {
                #expect(together.isFull(.inbound, route: route) == single.isFull(.inbound, route: route), "\(seed)")
            }
        }
    }

    @Test("where there is not room for all, none is counted")
    func allOrNone() {
        var gauge = gauge()
        let takesTooMany = gauge.takes(.inbound, runs([("s", 1), ("r", 1), ("r", 1), ("r", 1), ("r", 1), ("r", 1)]))
        #expect(!takesTooMany)
        #expect(gauge.messages(.inbound) == 0)
        let takesFour = gauge.takes(.inbound, runs([("r", 1), ("r", 1), ("r", 1), ("r", 1)]))
        #expect(takesFour)
        #expect(gauge.messages(.inbound) == 4)
    }
}
