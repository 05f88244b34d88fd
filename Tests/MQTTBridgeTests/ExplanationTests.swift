import AsyncEventBus
import Mosquitto
import Testing

@testable import MQTTBridge

@Suite("Explanation")
struct ExplanationTests {
    private func gateway(_ version: ProtocolVersion = .v5) throws -> Explanation {
        var local = ClientOptions()
        local.version = version
        return try Explanation(
            brokers: [
                try Broker("mqtt://localhost", name: "local", options: local),
                try Broker("mqtts://cloud.example.com", name: "cloud"),
            ],
            routes: [
                Route(
                    "device/{id}/{rest...}",
                    "device.{id}.{rest...}",
                    direction: .in,
                    name: "from devices",
                    broker: "local"
                ),
                Route(
                    "sites/s1/device/{id}/{rest...}",
                    "device.{id}.{rest...}",
                    direction: .both,
                    name: "with cloud",
                    broker: "cloud",
                    qos: .exactlyOnce,
                    retain: true
                ),
            ]
        )
    }

    @Test("a topic is followed through the bus to the other broker")
    func topic() throws {
        #expect(
            try gateway().lines(forTopic: "device/7/temp/in.side") == [
                "in by route \"from devices\": broker local, topic device/7/temp/in.side "
                    + "matches device/{id}/{rest...}",
                "  {id} = 7",
                "  {rest} = temp/in.side",
                "  event device.7.temp.in%2Eside, QoS 1 at most",
                "  loop guard: No Local; a copy with this bus's own identity, or one seen before, is dropped",
                "  then out by route \"with cloud\": broker cloud, topic sites/s1/device/7/temp/in.side, QoS 2, retained, "
                    + "unless it passed 8 bridges",
            ]
        )
        let back = try gateway().lines(forTopic: "sites/s1/device/7")
        #expect(back.last == "  not back to broker cloud by route \"with cloud\": it came from there")
        #expect(
            try gateway(.v3_1_1).lines(forTopic: "device/7").contains { $0.contains("by topic and payload for 10 s") }
        )
    }

    @Test("what is retained as it came is said by where it comes from", arguments: ProtocolVersion.allCases)
    func asReceived(version: ProtocolVersion) throws {
        var options = ClientOptions()
        options.version = version
        let explanation = try Explanation(
            brokers: [try Broker("mqtt://a", name: "near", options: options), try Broker("mqtt://b", name: "far")],
            routes: [
                Route("a/{x}", "a.{x}", direction: .in, broker: "near"),
                Route("a/{x}", "a.{x}", direction: .out, broker: "far", retain: .asReceived),
            ]
        )
        let text = version == .v5 ? "retained if it was to be kept there," : "retained if it was kept there and news"
        #expect(explanation.lines(forTopic: "a/1").last?.contains(text) == true)
        #expect(explanation.lines(forEvent: "a.1").contains { $0.hasSuffix("not retained") })
    }

    @Test("an event is followed to its topic, or to what refuses it")
    func event() throws {
        #expect(
            try gateway().lines(forEvent: "device.7.a") == [
                "event device.7.a matches device.{id}.{rest...}",
                "  {id} = 7",
                "  {rest} = a",
                "  out by route \"with cloud\": broker cloud, topic sites/s1/device/7/a, QoS 2, retained",
                "  loop guard: listeners here hear it directly; No Local; "
                    + "a copy with this bus's own identity, or one seen before, is dropped",
            ]
        )
        let refused = try gateway().lines(forEvent: "device.7.a+b").last
        #expect(refused?.contains("refused") == true)
        #expect(refused?.contains("wildcards") == true)
    }

    @Test("what no route wants has no lines; without routes everything goes to the first broker")
    func none() throws {
        #expect(try gateway().lines(forTopic: "elsewhere").isEmpty)
        #expect(try gateway().lines(forTopic: "$SYS/x").isEmpty)
        #expect(try gateway().lines(forEvent: "elsewhere").isEmpty)
        let plain = try Explanation(brokers: [try Broker("mqtt://localhost")], routes: [])
        #expect(plain.lines(forTopic: "a/b").first?.contains("\"everything\"") == true)
        #expect(throws: RouteProblems.self) {
            try Explanation(brokers: [try Broker("mqtt://localhost")], routes: [Route("a/{x}", "a")])
        }
    }
}
