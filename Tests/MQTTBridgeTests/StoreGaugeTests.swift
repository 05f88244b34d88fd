import MessageStore
import Testing

@testable import MQTTBridge

@Suite("Store gauge")
struct StoreGaugeTests {
    /// Where a limit is.
    enum Place: CaseIterable {
        case routeMessages, routeBytes, totalMessages, totalBytes
    }

    private func gauge(_ policy: StorePolicy, _ place: Place) -> StoreGauge {
        let wide = StoreLimits(messages: 1_000, bytes: 1_000_000)
        let limits =
            switch place {
            case .routeMessages, .totalMessages: StoreLimits(messages: 4, bytes: 1_000_000)
            case .routeBytes, .totalBytes: StoreLimits(messages: 1_000, bytes: 40)
            }
        let isOfRoute = place == .routeMessages || place == .routeBytes
        var options = StoreOptions()
        options.limits = isOfRoute ? wide : limits
        options.policy = policy
        return StoreGauge(options, routes: [.limited("r", nil, isOfRoute ? limits : nil), .limited("other", nil)])
    }

    @Test(
        "a message beyond a limit is dealt with by the policy; the other direction is not concerned",
        arguments: StoreGauge.Direction.allCases,
        Place.allCases
    )
    func policies(direction: StoreGauge.Direction, place: Place) {
        let isOfRoute = place == .routeMessages || place == .routeBytes
        let crowd = StoreGauge.EvictionScope(direction: direction, route: isOfRoute ? "r" : nil)
        let verdicts: [StorePolicy: StoreGauge.Verdict] = [
            .block: .wait, .reject: .reject, .dropNewest: .drop, .dropOldest: .evict(crowd),
        ]
        for (policy, expected) in verdicts {
            var gauge = gauge(policy, place)
            for _ in 0..<4 {
                #expect(gauge.verdict(direction, route: "r", size: 10) == .accept)
                #expect(!gauge.isFull(direction, route: "r"))
                gauge.add(direction, route: "r", bytes: 10)
            }
            #expect(gauge.verdict(direction, route: "r", size: 10) == expected)
            let other: StoreGauge.Direction = direction == .inbound ? .outbound : .inbound
            #expect(gauge.verdict(other, route: "r", size: 10) == .accept)
            #expect(gauge.verdict(direction, route: "other", size: 10) == (isOfRoute ? .accept : expected))
            #expect(gauge.isFull(direction, route: "r") == (policy == .block || policy == .reject))
            #expect(!gauge.isFull(other, route: "r"))
        }
    }

    @Test("who waited goes on when a quarter is free, of the route and of the whole", arguments: Place.allCases)
    func lowWater(place: Place) {
        var gauge = gauge(.block, place)
        for _ in 0..<4 { gauge.add(.inbound, route: "r", bytes: 10) }
        #expect(!gauge.hasRoom(.inbound, route: "r"))
        #expect(gauge.hasRoom(.outbound, route: "r"))
        gauge.remove(.inbound, route: "r", bytes: 10)
        #expect(gauge.hasRoom(.inbound, route: "r"))
        gauge.add(.inbound, route: "r", bytes: 9)
        #expect(!gauge.hasRoom(.inbound, route: "r"))
    }

    @Test("where messages are dropped nobody waits for room", arguments: [StorePolicy.dropOldest, .dropNewest])
    func droppingNeverWaits(policy: StorePolicy) {
        var gauge = gauge(policy, .totalMessages)
        for _ in 0..<9 { gauge.add(.inbound, route: "r", bytes: 10) }
        #expect(gauge.hasRoom(.inbound, route: "r"))
    }

    @Test("there is room for a large message only where it fits, or where it is alone")
    func largeMessages() {
        var gauge = gauge(.block, .totalBytes)
        gauge.add(.outbound, route: "r", bytes: 20)
        #expect(gauge.hasRoom(.outbound, route: "r", size: 20))
        #expect(!gauge.hasRoom(.outbound, route: "r", size: 21))
        gauge.remove(.outbound, route: "r", bytes: 20)
        #expect(gauge.hasRoom(.outbound, route: "r", size: 1_000))
        #expect(gauge.verdict(.outbound, route: "r", size: 1_000) == .accept)
    }

    @Test("as many of the oldest leave as are too many, however many came together")
    func evictions() {
        var gauge = gauge(.dropOldest, .routeMessages)
        let crowd = StoreGauge.EvictionScope(direction: .inbound, route: "r")
        #expect(gauge.evictions([crowd]).isEmpty)
        for _ in 0..<9 { gauge.add(.inbound, route: "r", bytes: 10) }
        #expect(gauge.evictions([crowd]) == [.oldest(.inbound, route: "r", messages: 5, bytes: 0)])
        #expect(gauge.evictions([]).isEmpty)

        var bytes = self.gauge(.dropOldest, .totalBytes)
        for _ in 0..<5 { bytes.add(.outbound, route: "r", bytes: 10) }
        let all = StoreGauge.EvictionScope(direction: .outbound, route: nil)
        #expect(bytes.evictions([all]) == [.oldest(.outbound, route: nil, messages: 0, bytes: 10)])
    }

    @Test("what leaves a route need not leave the whole as well")
    func evictionsOfBoth() {
        var options = StoreOptions()
        options.limits = StoreLimits(messages: 10, bytes: 1_000_000)
        options.policy = .dropOldest
        var gauge = StoreGauge(options, routes: [.limited("r", nil, StoreLimits(messages: 4, bytes: 1_000_000))])
        for _ in 0..<6 { gauge.add(.inbound, route: "r", bytes: 1) }
        for _ in 0..<7 { gauge.add(.inbound, route: "other", bytes: 1) }
        let evictionScopes: Set<StoreGauge.EvictionScope> = [
            .init(direction: .inbound, route: nil), .init(direction: .inbound, route: "r"),
        ]
        #expect(
            gauge.evictions(evictionScopes) == [
                .oldest(.inbound, route: "r", messages: 2, bytes: 0),
                .oldest(.inbound, route: nil, messages: 1, bytes: 0),
            ]
        )
    }

    @Test("the policy of a route is used also where the whole is full")
    func policyOfRoute() {
        var options = StoreOptions()
        options.limits = StoreLimits(messages: 1, bytes: 1_000)
        var gauge = StoreGauge(options, routes: [.limited("r", .dropNewest), .limited("s", nil)])
        gauge.add(.inbound, route: "s", bytes: 1)
        #expect(gauge.verdict(.inbound, route: "r", size: 1) == .drop)
        #expect(gauge.verdict(.inbound, route: "s", size: 1) == .wait)
        #expect(gauge.verdict(.inbound, route: "unknown", size: 1) == .wait)
        #expect(gauge.messages(.inbound) == 1)
        #expect(gauge.messages(.outbound) == 0)
    }
}
