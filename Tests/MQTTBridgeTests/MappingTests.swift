import Testing

@testable import AsyncEventBus
@testable import MQTTBridge
@testable import Mosquitto
import TestSupport

@Suite("Mapping")
struct MappingTests {
    @Test("captures go where they are named, in any order; the rest may be nothing")
    func examples() throws {
        let route = Route("{a}/x/{b}/{rest...}", "e.{b}.{a}.{rest...}")
        #expect(route.toEvent(["1", "x", "2"]) == ["e", "2", "1"])
        #expect(route.toEvent(["1", "x", "2", "3", ""]) == ["e", "2", "1", "3", ""])
        #expect(route.toEvent(["1", "y", "2"]) == nil)
        #expect(route.toEvent(["1", "x"]) == nil)
        #expect(route.toTopic(["e", "2", "1", "3"]) == ["1", "x", "2", "3"])
        let fixed = Route("a/{x}", "{x}")
        #expect(fixed.toEvent(["a", ""]) == [""])
        #expect(fixed.toEvent(["a", "b", "c"]) == nil)
        #expect(fixed.toEvent.capture(["a", "b"])?["x"]?.first == "b")
    }

    @Test("literals are compared by bytes: two spellings of é are two levels")
    func exact() {
        let route = Route("\u{e9}/{a}", "e.{a}")
        #expect(route.toEvent(["\u{e9}", "1"]) == ["e", "1"])
        #expect(route.toEvent(["e\u{301}", "1"]) == nil)
    }

    @Test("topic → event → topic keeps every byte, and event → topic → event too", arguments: Seed.fresh(2))
    func inverse(seed: Seed) throws {
        var random = seed.random
        var mapped = 0
        for _ in 0..<500 {
            let captures = random.below(4)
            let sides = RandomTemplates(&random, captures: captures, literals: 3) { $0.level() }
            let route = try sides.route
            if route.event.template.isReserved { continue }
            let table = try RouteTable([route], brokers: ["default"])
            for _ in 0..<4 {
                let topic = fill(sides.topic, &random).joined(separator: "/")
                guard !topic.isEmpty else { continue }
                let found = table.inbound(topic, broker: "default")
                guard let event = found.first?.event else {
                    // Only what begins with $ by a capture, and the one name that does not exist, are left out.
                    let levels = TopicTemplate.levels(of: topic)
                    let segments = route.toEvent(levels) ?? []
                    let isReserved = topic.utf8.first == 0x24 && !route.topic.isReserved
                    let isLeftOut = isReserved || segments.joined().isEmpty || segments.first?.utf8.first == 0x24
                    #expect(isLeftOut, "\(route.topic) = \(route.event) of \(topic.debugDescription): \(segments)")
                    continue
                }
                mapped += 1
                let back = table.outbound(event)
                #expect(back.map { ExactText($0.topic) } == [ExactText(topic)], "\(route)")
                #expect(back.first?.problem == nil)
                let again = table.inbound(back.first?.topic ?? "", broker: "default")
                #expect(again.map(\.event) == [event], "\(route)")
            }
        }
        #expect(mapped > 500)
    }

    @Test("with {topic...} on both sides every legal topic is a name and back", arguments: Seed.fresh(2))
    func everything(seed: Seed) throws {
        var random = seed.random
        let table = try RouteTable([.everything()], brokers: ["default"])
        for _ in 0..<3_000 {
            let topic = random.topic()
            try TopicRules.check(topic: topic)
            let found = table.inbound(topic, broker: "default")
            guard topic.utf8.first != UInt8(ascii: "$") else {
                #expect(found.isEmpty)
                continue
            }
            let event = try #require(found.first?.event)
            let back = table.outbound(event)
            #expect(back.map { ExactText($0.topic) } == [ExactText(topic)])
            #expect(back.first?.problem == nil)
        }
    }

    private func fill(_ parts: [Template.Part], _ random: inout SplitMix64) -> [String] {
        parts.flatMap { part -> [String] in
            switch part {
            case .literal(let text): [text]
            case .capture: [random.level()]
            case .rest: (0..<random.below(3)).map { _ in random.level() }
            }
        }
    }
}
