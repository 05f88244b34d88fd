import Mosquitto
import Testing

@testable import MQTTBridge
import TestSupport

@Suite("RouteCheck")
struct RouteCheckTests {
    private func check(_ routes: [Route], brokers: Set<String> = ["default"]) -> [RouteProblem] {
        RouteCheck.problems(in: routes, brokers: brokers)
    }

    /// The fields of the problems, with the position of their route.
    private func fields(_ routes: [Route], brokers: Set<String> = ["default"]) -> [String] {
        check(routes, brokers: brokers).map { "\($0.route + 1).\($0.field.rawValue)" }
    }

    // MARK: One route

    @Test(
        "what cannot be undone is refused, on the side that lacks it",
        arguments: [
            ("a/{x}", "a", ["1.event"]),
            ("a", "a.{x}", ["1.topic"]),
            ("a/{x}", "a.{y}", ["1.event", "1.topic"]),
            ("a/{x...}", "a.{x}", ["1.event"]),
            ("a/{x}", "a.{x...}", ["1.topic"]),
            ("a/{x}/{y...}", "a.{y}.{x...}", ["1.event"]),
            ("a/{x}/{y...}", "{x}.{y...}", []),
            ("a/{x}", "$bridge.{x}", ["1.event"]),
            ("$share/g/{x}", "a.{x}", ["1.topic"]),
            ("$SYS/{x...}", "broker.{x...}", []),
        ] as [(TopicTemplate, EventTemplate, [String])]
    )
    func captures(topic: TopicTemplate, event: EventTemplate, expected: [String]) {
        #expect(fields([Route(topic, event)]) == expected)
    }

    @Test("reserved names and shared subscriptions matter only inbound")
    func outbound() {
        #expect(fields([Route("report/{x}", "$bridge.{x}", direction: .out)]).isEmpty)
        #expect(fields([Route("$share/g/{x}", "a.{x}", direction: .out)]).isEmpty)
    }

    @Test("a name that stands there twice and a broker that is unknown are told with what to do")
    func names() throws {
        let problems = check([
            Route("a", "a", name: "one"), Route("b", "b", name: "one"), Route("c", "c", broker: "clod"),
        ])
        #expect(problems.map(\.field) == [.name, .broker])
        #expect(problems.map(\.route) == [1, 2])
        #expect(problems[0].message.contains("\"one\""))
        #expect(problems[1].message.contains("\"clod\""))
        #expect(problems[1].advice.contains("default"))
        #expect(problems[1].description.hasPrefix("route 3, broker: "))
        #expect(RouteProblems(problems: problems).description.split(separator: "\n").count == 2)
    }

    @Test("every mistake is told at once")
    func all() {
        let routes = [
            Route("a/{x}", "a", name: "n"), Route("b", "$b", name: "n", broker: "no"),
            Route("c/{x}", "c.{x...}", name: "m"),
        ]
        #expect(Set(fields(routes)) == ["1.event", "2.name", "2.broker", "2.event", "3.topic"])
    }

    // MARK: Two routes

    @Test(
        "two routes that make the same event of one topic, or publish one event twice, are refused",
        arguments: [
            ("a/{x}", "e.{x}", "a/b", "e.b", ["2.topic"], ["2.event"]),
            ("a/{x}", "e.{x}", "a/b", "f.b", [], []),
            ("{x...}", "{x...}", "home/{y}", "home.{y}", ["2.topic"], ["2.event"]),
            ("{x...}", "{x...}", "home/{y}", "climate.{y}", [], []),
            ("{x}/t", "t.{x}", "home/{x}", "{x}.home", ["2.topic"], ["2.event"]),
            ("$SYS/{x...}", "sys.{x...}", "{x...}", "sys.{x...}", [], []),
            ("a/{x...}", "e.{x...}", "a", "e", ["2.topic"], ["2.event"]),
        ] as [(TopicTemplate, EventTemplate, TopicTemplate, EventTemplate, [String], [String])]
    )
    func ambiguity(
        topic: TopicTemplate,
        event: EventTemplate,
        otherTopic: TopicTemplate,
        otherEvent: EventTemplate,
        inbound: [String],
        outbound: [String]
    ) {
        // `t.{x}` and `{x}.home` meet only where x is home and t: then topics `home/t` and events `t.home` agree.
        func routes(_ direction: Route.Direction) -> [Route] {
            [
                Route(topic, event, direction: direction, name: "first"),
                Route(otherTopic, otherEvent, direction: direction, name: "second"),
            ]
        }
        #expect(fields(routes(.in)) == inbound)
        #expect(fields(routes(.out)) == outbound)
        #expect(fields(routes(.both)) == inbound)
        let problems = check(routes(.in))
        #expect(problems.allSatisfy { $0.message.contains("\"first\"") && !$0.advice.isEmpty })
    }

    @Test("routes of different brokers or directions do not disturb each other")
    func apart() {
        let two = [Route("a", "e", name: "1"), Route("a", "e", name: "2", broker: "other")]
        #expect(fields(two, brokers: ["default", "other"]).isEmpty)
        #expect(
            fields([Route("a", "e", direction: .in, name: "1"), Route("a", "e", direction: .out, name: "2")]).isEmpty
        )
    }

    @Test("what is accepted never maps one text twice; what is refused does for some text", arguments: Seed.fresh(2))
    func soundness(seed: Seed) throws {
        var random = seed.random
        let texts = allLists(of: ["a", "b", "c"], upTo: 5)
        var (rounds, ambiguous) = (0, 0)
        // Few pairs are ambiguous: on until there was one.
        while rounds < 120 || ambiguous == 0 && rounds < 10_000 {
            rounds += 1
            let pair = try (0..<2).map { position in
                var route = try RandomTemplates(&random, captures: random.below(3), literals: 2) {
                    $0.pick(["a", "b"])
                }.route
                route.name = "\(position)"
                return route
            }
            for direction in [Route.Direction.in, .out] {
                let routes = pair.map { route in
                    var route = route
                    route.direction = direction
                    return route
                }
                let mappings = routes.map { direction == .in ? $0.toEvent : $0.toTopic }
                let witness = texts.first { text in
                    guard let first = mappings[0](text), let second = mappings[1](text) else { return false }
                    return first == second
                }
                let found = check(routes)
                #expect(found.isEmpty == (witness == nil), "\(routes) \(String(describing: witness)) \(found)")
                if witness != nil { ambiguous += 1 }
            }
        }
        #expect(ambiguous > 0)
    }

    // MARK: Circles

    private let both: Set<String> = ["local", "cloud"]

    @Test("the ordinary gateways have no circle")
    func gateways() {
        #expect(
            fields(
                [
                    Route("device/{r...}", "device.{r...}", direction: .in, name: "1", broker: "local"),
                    Route("sites/s1/device/{r...}", "device.{r...}", direction: .out, name: "2", broker: "cloud"),
                    Route("sites/s1/command/{r...}", "command.{r...}", direction: .in, name: "3", broker: "cloud"),
                    Route("command/{r...}", "command.{r...}", direction: .out, name: "4", broker: "local"),
                ],
                brokers: both
            ).isEmpty
        )
        #expect(
            fields(
                [
                    Route("home/{r...}", "home.{r...}", name: "1", broker: "local"),
                    Route("sites/s1/home/{r...}", "home.{r...}", name: "2", broker: "cloud"),
                ],
                brokers: both
            ).isEmpty
        )
        let mirror = both.sorted().map { Route("{t...}", "{t...}", name: $0, broker: $0) }
        #expect(fields(mirror, brokers: both).isEmpty)
        let climate = both.sorted().map { Route("home/{r}/t", "climate.{r}.t", name: $0, broker: $0) }
        #expect(fields(climate, brokers: both).isEmpty)
    }

    @Test("routes that lead back under another name are refused, and named in order")
    func circle() throws {
        let routes = [
            Route("x/{r...}", "e.{r...}", direction: .in, name: "from x", broker: "local"),
            Route("y/{r...}", "e.{r...}", direction: .out, name: "to y", broker: "cloud"),
            Route("y/{r...}", "f.{r...}", direction: .in, name: "from y", broker: "cloud"),
            Route("x/{r...}", "f.{r...}", direction: .out, name: "to x", broker: "local"),
        ]
        let problems = check(routes, brokers: both)
        let problem = try #require(problems.first)
        #expect(problems.count == 1)
        #expect(problem.field == .direction)
        #expect(problem.message.contains("\"from x\" → \"to y\" → \"from y\" → \"to x\""))
        for position in routes.indices {
            var cut = routes
            cut.remove(at: position)
            #expect(check(cut, brokers: both).isEmpty)
        }
    }

    @Test("10,000 routes are checked in seconds, and their mistake is found")
    func many() throws {
        var routes = try (0..<10_000).map { number in
            Route(
                try TopicTemplate("site/\(number)/{room}/{rest...}"),
                try EventTemplate("s\(number).{room}.{rest...}"),
                name: "\(number)"
            )
        }
        routes[9_999] = Route("site/5000/kitchen/{rest...}", "s5000.kitchen.{rest...}", name: "twin")
        let clock = ContinuousClock()
        var found: [RouteProblem] = []
        let time = clock.measure { found = check(routes) }
        print("10,000 routes checked in \(time)")
        #expect(found.map(\.route) == [9_999])
        #expect(time < .seconds(20).stretched)
    }

    @Test(
        "8,000 routes that are equal, or overlap, take as long for each as a few",
        arguments: ["equal", "apart", "chain"]
    )
    func manyThatOverlap(kind: String) throws {
        let routes = try (0..<8_000).map { number in
            switch kind {
            case "equal": Route("a/{x}/{rest...}", "e.{x}.{rest...}", name: "\(number)")
            // All topics overlap, and each makes other events.
            case "apart":
                Route("{rest...}", try EventTemplate("e\(number).{rest...}"), direction: .in, name: "\(number)")
            // Out to the other broker and back, under a new name each time.
            default:
                Route(
                    try TopicTemplate("t\((number + 1) / 2)/{x}"),
                    try EventTemplate("e\(number / 2).{x}"),
                    direction: number.isMultiple(of: 2) ? .in : .out,
                    name: "\(number)",
                    broker: (number / 2 + number).isMultiple(of: 2) ? "default" : "other"
                )
            }
        }
        var found: [RouteProblem] = []
        let time = ContinuousClock().measure { found = check(routes, brokers: ["default", "other"]) }
        print("8,000 routes, \(kind), checked in \(time)")
        #expect(found.map(\.route) == (kind == "equal" ? Array(1..<8_000) : []))
        #expect(found.allSatisfy { $0.message.contains("route 1 ") })
        #expect(time < .seconds(20).stretched)
    }

    @Test("a circle through 8,000 routes is found, and told in one line")
    func longCircle() throws {
        let count = 8_000
        let routes = try (0..<count).map { number in
            Route(
                try TopicTemplate("t\((number + 1) / 2 % (count / 2))/{x}"),
                try EventTemplate("e\(number / 2).{x}"),
                direction: number.isMultiple(of: 2) ? .in : .out,
                name: "\(number)",
                broker: (number / 2 + number).isMultiple(of: 2) ? "default" : "other"
            )
        }
        let found = check(routes, brokers: ["default", "other"])
        #expect(found.map(\.field) == [.direction])
        #expect(found.allSatisfy { $0.message.contains("\"0\" → \"1\"") && $0.message.utf8.count < 400 }, "\(found)")
    }

    @Test("a route that goes by the retain flag of a broker of MQTT 3.1.1 is noted")
    func unknownFlags() throws {
        let routes = [
            Route("a/{x}", "a.{x}", direction: .in, name: "source", broker: "left"),
            Route("a/{x}", "a.{x}", direction: .out, name: "target", broker: "right", retain: .asReceived),
        ]
        func notes(_ version: ProtocolVersion, _ routes: [Route]) throws -> [String] {
            var options = ClientOptions()
            options.version = version
            let brokers = [
                try Broker("mqtt://a", name: "left", options: options), try Broker("mqtt://b", name: "right"),
            ]
            return RouteCheck.notes(on: routes, brokers: brokers, hasStore: false)
        }
        let found = try notes(.v3_1_1, routes)
        #expect(found.count == 1)
        #expect(found.first?.contains("\"source\"") == true && found.first?.contains("\"target\"") == true)
        #expect(try notes(.v5, routes) == [])
        var fixed = routes
        fixed[1].retain = true
        #expect(try notes(.v3_1_1, fixed) == [])
    }

    @Test("ten thousand captures are compared once, and notes are listed up to a hundred")
    func manyCaptures() throws {
        let names = (0..<10_000).map { "{c\($0)}" }
        let routes = try (0..<3).map { number in
            Route(
                try TopicTemplate("t\(number)/" + names.joined(separator: "/")),
                try EventTemplate("e\(number)." + names.reversed().joined(separator: ".")),
                name: "\(number)"
            )
        }
        var found: [RouteProblem] = []
        let time = ContinuousClock().measure { found = check(routes) }
        print("three routes of 10,000 captures checked in \(time)")
        #expect(found.isEmpty)
        #expect(time < .seconds(10).stretched)
        let durable = (0..<300).map { Route("q/{x}", "q.{x}", direction: .in, name: "\($0)", qos: .exactlyOnce) }
        let notes = RouteCheck.notes(on: durable, hasStore: true)
        #expect(notes.count == 101)
        #expect(notes.last == "200 more notes are not shown")
    }
}
