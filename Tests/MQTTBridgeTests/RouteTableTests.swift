import AsyncEventBus
import Mosquitto
import Testing

@testable import MQTTBridge

@Suite("RouteTable")
struct RouteTableTests {
    private func table(_ routes: Route...) throws -> RouteTable {
        try RouteTable(routes, brokers: ["default", "other"])
    }

    private func events(_ table: RouteTable, _ topic: String, broker: String = "default") -> [String] {
        table.inbound(topic, broker: broker).map(\.event.text)
    }

    @Test("every route that wants a topic of its broker makes an event, in order; answers stay the same")
    func inbound() throws {
        let table = try table(
            Route("home/{room}/t", "climate.{room}", name: "1"),
            Route("home/{rest...}", "home.{rest...}", name: "2"),
            Route("home/{rest...}", "other.{rest...}", name: "3", broker: "other"),
            Route("home/{rest...}", "out.{rest...}", direction: .out, name: "4")
        )
        for _ in 0..<2 {
            #expect(events(table, "home/kitchen/t") == ["climate.kitchen", "home.kitchen.t"])
            #expect(events(table, "home/kitchen/t", broker: "other") == ["other.kitchen.t"])
            #expect(events(table, "home") == ["home"])
            #expect(events(table, "garden").isEmpty)
            #expect(events(table, "home", broker: "unknown").isEmpty)
            #expect(table.outbound("out.a").map(\.topic) == ["home/a"])
            #expect(table.outbound("climate.kitchen").map(\.topic) == ["home/kitchen/t"])
            #expect(table.outbound("nothing").isEmpty)
        }
        #expect(table.outboundPatterns == ["climate.*", "home.**", "other.**", "out.**"])
    }

    @Test("topics that begin with $ fit only what names them, and no capture makes a reserved event")
    func reserved() throws {
        let everything = try table(.everything())
        #expect(events(everything, "$SYS/broker/uptime").isEmpty)
        #expect(events(everything, "a/$SYS") == ["a.$SYS"])
        let named = try table(
            Route("$SYS/{rest...}", "sys.{rest...}", direction: .in),
            Route("fwd/{rest...}", "{rest...}", direction: .in)
        )
        #expect(events(named, "$SYS/broker/uptime") == ["sys.broker.uptime"])
        #expect(events(named, "fwd/a/b") == ["a.b"])
        #expect(events(named, "fwd/$bridge/connected").isEmpty)
        #expect(events(named, "fwd").isEmpty)
    }

    @Test(
        "F17: an event becomes a topic that begins with $ only where the route says so",
        arguments: ["$SYS.x", "$share.g.x", "$CONTROL.x", "$\u{301}.x"]
    )
    func dollar(text: String) throws {
        let name = try EventName("out." + text)
        let captured = try #require(
            try table(Route("{rest...}", "out.{rest...}", direction: .out)).outbound(name).first
        )
        #expect(captured.problem?.code == .invalidTopic)
        #expect(captured.problem?.detail.contains("$") == true)
        let literal = text.split(separator: ".")[0]
        let route = Route(try TopicTemplate("\(literal)/{rest...}"), "out.{rest...}", direction: .out)
        #expect(try #require(try table(route).outbound("out.x").first).problem == nil)
    }

    @Test(
        "F16: what cannot be a topic is refused with its reason, and nothing else is",
        arguments: [
            ("out", "cannot be empty"), ("out.", "cannot be empty"), ("out.a+b", "wildcards"), ("out.#", "wildcards"),
            ("out.a\0b", "NUL"), ("out.\u{1b}", "control"), ("out.\u{fffe}", "not a character"), ("out.a/b", "slash"),
            ("out.\(String(repeating: "x", count: 65_536))", "longer than"),
            ("out.\(String(repeating: "x.", count: 201))x", "levels deep"),
            ("out.a.b", nil), ("out..", nil), ("out.%2A%25%2E", nil), ("out.é \u{1f600}", nil),
            ("out.\(String(repeating: "x", count: 65_535))", nil), ("out.\(String(repeating: "x.", count: 200))x", nil),
        ] as [(String, String?)]
    )
    func illegal(text: String, reason: String?) throws {
        let table = try table(Route("{rest...}", "out.{rest...}", direction: .out))
        let found = try #require(table.outbound(try EventName(text)).first)
        #expect(found.problem?.code == reason.map { _ in .invalidTopic })
        #expect(reason.map { found.problem?.description.contains($0) == true } ?? true, "\(found)")
        #expect((found.problem?.description.utf8.count ?? 0) < 1_000)
    }

    @Test("answers stay right when more names and topics come than are kept")
    func caches() throws {
        let table = try table(.everything())
        for round in 0..<2 {
            for number in 0..<9_000 where round == 0 || number.isMultiple(of: 97) {
                #expect(table.inbound("a/\(number)", broker: "default").first?.event.text == "a.\(number)")
                #expect(table.outbound(EventName(spelled: "a.\(number)")).first?.topic == "a/\(number)")
            }
        }
    }

    @Test("two spellings of a character are two topics")
    func exact() throws {
        let table = try table(.everything())
        let composed = try #require(table.inbound("\u{e9}", broker: "default").first?.event)
        let decomposed = try #require(table.inbound("e\u{301}", broker: "default").first?.event)
        #expect(composed != decomposed)
    }

    @Test("routes that are wrong make no table, and all that is wrong is told")
    func problems() {
        let error = #expect(throws: RouteProblems.self) { try self.table(Route("a/{x}", "a"), Route("b", "b.{y}")) }
        #expect(error?.problems.map(\.route) == [0, 1])
    }
}
