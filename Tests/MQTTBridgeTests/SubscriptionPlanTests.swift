import Mosquitto
import Testing

@testable import MQTTBridge
import TestSupport

@Suite("SubscriptionPlan")
struct SubscriptionPlanTests {
    private func plan(_ routes: [Route], version: ProtocolVersion = .v5) -> [SubscriptionRequest] {
        SubscriptionPlan(routes, version: version).requests
    }

    private func filters(_ topics: [TopicTemplate]) -> [String] {
        plan(topics.map { Route($0, "e", .in) }).map(\.filter)
    }

    @Test("filters that overlap become the narrowest that covers them; others stay as they are")
    func examples() {
        #expect(filters(["home/{r}/t", "home/kitchen/{x...}"]) == ["home/+/#"])
        #expect(filters(["home/{r}/t", "home/{x...}"]) == ["home/#"])
        #expect(filters(["home/{r}/t", "{h}/kitchen/t"]) == ["+/+/t"])
        #expect(filters(["a/{x}", "b/{x}", "a/c"]) == ["a/+", "b/+"])
        #expect(filters(["a", "a/{r...}"]) == ["a/#"])
        #expect(filters(["a", "b", "a"]) == ["a", "b"])
        #expect(filters(["a/{x}", "a/{x}/c"]) == ["a/+", "a/+/c"])
        #expect(filters([]) == [])
    }

    @Test("what begins with $ is apart from # and +")
    func reserved() {
        #expect(filters(["{all...}", "$SYS/{r...}", "$SYS/broker/uptime"]) == ["#", "$SYS/#"])
        #expect(filters(["{a}/x", "$SYS/x"]) == ["$SYS/x", "+/x"])
    }

    @Test("what a durable route has a part in is subscribed at QoS 1 at most, whoever else wants more")
    func durable() {
        let memory = Route("a/{x...}", "m.{x...}", .in, qos: .exactlyOnce, durability: .memory)
        let durable = Route("a/b/{x}", "d.{x}", .in, qos: .atLeastOnce, durability: .disk)
        let other = Route("b/{x}", "o.{x}", .in, qos: .exactlyOnce, durability: .memory)
        let requests = plan([memory, durable, other])
        #expect(requests.map(\.filter) == ["a/#", "b/+"])
        #expect(requests.map(\.qos) == [.atLeastOnce, .exactlyOnce])
        #expect(plan([Route("c", "c", .in, qos: .exactlyOnce, durability: .disk)]).map(\.qos) == [.atLeastOnce])
    }

    @Test("a filter that covers has the highest QoS; only inbound routes subscribe; No Local where there is one")
    func options() {
        let routes = [
            Route("a/{x}", "e.{x}", .in, qos: .atMostOnce), Route("a/b", "e", .both, qos: .exactlyOnce),
            Route("out/{x}", "o.{x}", .out, qos: .exactlyOnce),
        ]
        #expect(plan(routes) == [SubscriptionRequest("a/+", qos: .exactlyOnce, noLocal: true)])
        #expect(plan(routes, version: .v3_1_1) == [SubscriptionRequest("a/+", qos: .exactlyOnce)])
    }

    @Test("no topic comes twice, each that a route wants comes, at its QoS or above", arguments: Seed.fresh(3))
    func property(seed: Seed) throws {
        var random = seed.random
        let topics = allLists(of: ["a", "b", "", "$s"], upTo: 4)
        for _ in 0..<60 {
            let routes = try (0...random.below(6)).map { _ in
                var route = try RandomTemplates(&random, captures: random.below(3), literals: 2) {
                    $0.pick(["a", "b", "", "$s"])
                }.route
                route.qos = random.pick(QoS.allCases)
                route.direction = random.pick([.in, .both])
                return route
            }
            let requests = plan(routes)
            for topic in topics {
                let covering = requests.filter { naiveMatch($0.filter, topic) }
                let wanted = routes.filter { naiveMatch($0.topic.filter, topic) }
                #expect(covering.count <= 1, "\(topic) by \(covering) of \(routes.map(\.topic))")
                guard let highest = wanted.map(\.qos).max() else { continue }
                #expect(covering.count == 1, "\(topic) of \(routes.map(\.topic)) by \(requests.map(\.filter))")
                #expect(covering.allSatisfy { $0.qos >= highest })
            }
        }
    }

    /// As MQTT 5 says in section 4.7, without a look at how it is done elsewhere.
    private func naiveMatch(_ filter: String, _ topic: [String]) -> Bool {
        func match(_ filter: ArraySlice<String>, _ topic: ArraySlice<String>) -> Bool {
            if filter.first == "#" { return true }
            guard let level = filter.first else { return topic.isEmpty }
            guard let other = topic.first else { return false }
            return (level == "+" || level == other) && match(filter.dropFirst(), topic.dropFirst())
        }
        let levels = filter.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        if topic[0].hasPrefix("$"), levels[0] == "#" || levels[0] == "+" { return false }
        return match(levels[...], topic[...])
    }
}
