import AsyncEventBus
import Mosquitto
import TestSupport
import Testing

@testable import MQTTBridge

@Suite("BridgeRegister")
struct BridgeRegisterTests {
    private func bridge(
        _ bus: EventBus,
        _ url: String = "mqtt://127.0.0.1:1",
        _ routes: [Route] = [Route("a/{n}", "a.{n}")]
    ) throws -> Bridge {
        try Bridge(bus: bus, brokers: [try .quick(url)], routes: routes, logger: .silent)
    }

    @Test("a second bridge on a bus that makes the same events of the same broker is refused, and told what to do")
    func refused() throws {
        let bus = EventBus(logger: .silent)
        let first = try bridge(bus)
        let error = try #require(throws: BridgeConflict.self) {
            try bridge(bus, "mqtt://user@127.0.0.1:1", [Route("b", "b"), Route("a/{rest...}", "a.{rest...}")])
        }
        #expect((error.broker, error.topics) == ("default", ["a/{rest...}", "a/{n}"]))
        #expect(error.description.contains("come twice. Give all routes to one bridge"))
        withExtendedLifetime(first) {}
    }

    @Test(
        "one that brings in something else is not: another broker, topic or event, only out, another bus",
        arguments: [
            ("mqtt://127.0.0.1:2", Route("a/{n}", "a.{n}")), ("mqtt://127.0.0.1:1", Route("b/{n}", "a.{n}")),
            ("mqtt://127.0.0.1:1", Route("a/{n}", "b.{n}")),
            ("mqtt://127.0.0.1:1", Route("a/{n}", "a.{n}", direction: .out)),
            ("mqtt://localhost:1", Route("a/{n}", "a.{n}")),
        ]
    )
    func accepted(url: String, route: Route) throws {
        let bus = EventBus(logger: .silent)
        let bridges = [try bridge(bus), try bridge(bus, url, [route]), try bridge(EventBus(logger: .silent))]
        withExtendedLifetime(bridges) {}
    }

    @Test("a bridge that has ended or was let go of stands in nobody's way", .timeLimit(.deadlock))
    func released() async throws {
        let bus = EventBus(logger: .silent)
        do { _ = try bridge(bus) }
        #expect(throws: BridgeConflict.self) {
            try withExtendedLifetime(try bridge(bus)) { _ = try bridge(bus) }
        }
        let ended = try bridge(bus)
        let run = Task { try await ended.run() }
        run.cancel()
        try await run.value
        let next = try bridge(bus)
        withExtendedLifetime((ended, next)) {}
    }
}
