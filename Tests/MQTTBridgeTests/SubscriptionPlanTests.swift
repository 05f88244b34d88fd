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
        plan(topics.map { Route($0, "e", direction: .in) }).map(\.filter)
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
        let memory = Route("a/{x...}", "m.{x...}", direction: .in, qos: .exactlyOnce, durability: .memory)
        let durable = Route("a/b/{x}", "d.{x}", direction: .in, qos: .atLeastOnce, durability: .disk)
        let other = Route("b/{x}", "o.{x}", direction: .in, qos: .exactlyOnce, durability: .memory)
        let requests = plan([memory, durable, other])
        #expect(requests.map(\.filter) == ["a/#", "b/+"])
        #expect(requests.map(\.qos) == [.atLeastOnce, .exactlyOnce])
        #expect(
            plan([Route("c", "c", direction: .in, qos: .exactlyOnce, durability: .disk)]).map(\.qos) == [.atLeastOnce]
        )
    }

    @Test("a filter that covers has the highest QoS; only inbound routes subscribe; No Local where there is one")
    func options() {
        let routes = [
            Route("a/{x}", "e.{x}", direction: .in, qos: .atMostOnce),
            Route("a/b", "e", direction: .both, qos: .exactlyOnce),
            Route("out/{x}", "o.{x}", direction: .out, qos: .exactlyOnce),
        ]
        #expect(plan(routes) == [SubscriptionRequest("a/+", qos: .exactlyOnce, noLocal: true)])
        #expect(plan(routes, version: .v3_1_1) == [SubscriptionRequest("a/+", qos: .exactlyOnce)])
    }

    @Test("the retain flag is asked for where a route to another broker goes by it, and MQTT has it")
    func flags() {
        let source = Route("a/{x}", "a.{x}", direction: .in, broker: "left")
        let other = Route("b/{x}", "b.{x}", direction: .in, broker: "left")
        func marked(_ target: Route, _ version: ProtocolVersion = .v5) -> [String] {
            let use = RetainFlagUse([source, other, target])
            let plan = SubscriptionPlan([source, other], version: version, flagUse: use)
            for request in plan.requests { #expect(request.retainAsPublished == request.marksKept) }
            #expect(
                plan.requests.filter(\.marksKept).map(\.filter)
                    == ["a/1", "b/1"].filter(plan.marksKept).map { $0.replacing("1", with: "+") }
            )
            return plan.requests.filter(\.marksKept).map(\.filter)
        }
        func target(_ direction: Route.Direction, _ broker: String, _ retain: Retention) -> Route {
            Route("far/{x}", "a.{x}", direction: direction, broker: broker, retain: retain)
        }
        #expect(marked(target(.out, "right", .asReceived)) == ["a/+"])
        #expect(marked(target(.both, "right", .asReceived)) == ["a/+"])
        #expect(marked(target(.out, "right", .asReceived), .v3_1_1) == [])
        #expect(marked(target(.in, "right", .asReceived)) == [], "publishes nothing")
        #expect(marked(target(.out, "left", .asReceived)) == [], "nothing goes back")
        #expect(marked(target(.out, "right", true)) == [])
        let all = Route("far/{x...}", "{x...}", direction: .out, broker: "right", retain: .asReceived)
        #expect(marked(all) == ["a/+", "b/+"])
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

    @Test("8,000 filters are put together about as fast as they are read", arguments: ["apart", "merging"])
    func many(kind: String) throws {
        let routes = try (0..<8_000).map { number in
            Route(
                try TopicTemplate(kind == "apart" ? "a\(number)/{x}/b" : "a/{x}/b\(number % 4_000)/{r...}"),
                "e",
                direction: .in,
                qos: .exactlyOnce,
                durability: number.isMultiple(of: 2) ? .disk : .memory
            )
        }
        var found: [SubscriptionRequest] = []
        let time = ContinuousClock().measure { found = plan(routes) }
        print("8,000 filters, \(kind), put together in \(time)")
        #expect(found.count == (kind == "apart" ? 8_000 : 4_000))
        #expect(found.count { $0.qos == .atLeastOnce } == (kind == "apart" ? 4_000 : 2_000))
        #expect(time < .seconds(10).stretched)
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
