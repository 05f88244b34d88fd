import EventBridgeTesting
import Locking
import MQTTBridge
import TestSupport
import Testing

@Suite("TestBridge", .timeLimit(.deadlock))
struct TestBridgeTests {
    private struct Reading: Codable {
        var bar: Double
    }

    private struct PumpCommand: Codable {
        var run: Bool
    }

    private enum Site {
        static let pressure = Topic<Reading>("meter.{id}.pressure")
        static let command = Topic<PumpCommand>("pump.{id}.command")
        static let level = RequestTopic<Int, Int>("tank.{id}.ask")
    }

    private let routes = [
        Route("meters/{id}/pressure", Site.pressure, direction: .in), Route("pumps/{id}/command", Site.command),
        Route("tanks/{id}/ask", Site.level.requests), Route("answers/{name...}", "answers.{name...}"),
        Route("far/{id}", "pump.{id}.command", direction: .out, broker: "far & away"),
    ]

    private func bridge(_ bus: EventBus = EventBus(logger: .silent)) throws -> TestBridge {
        try TestBridge(routes: routes, bus: bus, replyingWithin: ["answers/{name...}"], logger: .silent)
    }

    @Test("a rule is tried with a message, and what it publishes is seen")
    func rule() async throws {
        let test = try bridge()
        try test.bus.on(Site.pressure, durable: "rule", delivery: .keyed(\.id)) { [bus = test.bus] reading, event in
            guard reading.bar > 6 else { return }
            try bus.emit(Site.command(id: event.id), PumpCommand(run: false))
        }
        await test.receive("meters/p1/pressure", #"{"bar":5}"#)
        #expect(test.published.isEmpty)
        await test.receive("meters/p1/pressure", #"{"bar":7}"#)
        #expect(test.published.map(\.topic) == ["pumps/p1/command"])
        #expect(test.published.map(\.payload) == [Array(#"{"run":false}"#.utf8)])
        #expect(test.published(to: "far & away").map(\.topic) == ["far/p1"])
        test.forgetPublished()
        #expect(test.published.isEmpty && test.published(to: "far & away").isEmpty)
    }

    @Test("a message that no route subscribes to does not come in")
    func strange() async throws {
        let test = try bridge()
        let heard = Locked(0)
        test.bus.on("**") { _ in heard.withLock { $0 += 1 } }
        #expect(await !test.receive("meters/p1/temperature", "1"))
        #expect(await !test.receive("meters", "1"))
        #expect(await !test.receive("meters/p1/pressure/x", "1"))
        #expect(await test.receive("answers", "1"))
        #expect(heard.withLock { $0 } == 1)
    }

    @Test("without a connection messages wait, and a refusal is the error of a receipt")
    func connection() async throws {
        let test = try bridge()
        let kinds = Locked<[BridgeEvent.Kind]>([])
        test.bus.on("$bridge.*", delivery: .serial) { event in
            if let status = BridgeEvent(event) { kinds.withLock { $0.append(status.kind) } }
        }
        test.disconnect()
        let receipt = try test.bus.tracked.emit(Site.command(id: "p"), PumpCommand(run: true))
        #expect(test.published.isEmpty)
        test.connect()
        try await receipt.published()
        #expect(test.published.count == 1)
        test.refuse(with: .notAuthorized)
        let refused = try test.bus.tracked.emit(Site.command(id: "p"), PumpCommand(run: true))
        await #expect(throws: (any Error).self) { try await refused.published() }
        #expect(test.published.count == 1)
        await test.settle()
        #expect(kinds.withLock { $0.prefix(3) } == [.disconnected, .connected, .subscribed])
        #expect(kinds.withLock { $0.contains(.refused) })
    }

    @Test("a plain client's request is answered")
    func request() async throws {
        let test = try bridge()
        test.bus.answer(Site.level) { number, _ in number + 1 }
        let properties = MessageProperties(responseTopic: "answers/me", correlationData: [7])
        await test.receive("tanks/t/ask", "41", properties: properties)
        #expect(test.published.map(\.topic) == ["answers/me"])
        #expect(test.published.map(\.payload) == [Array("42".utf8)])
        #expect(test.published.map(\.properties.correlationData) == [[7]])
    }

    @Test("a retry goes by the clock of the test")
    func clock() async throws {
        let clock = TestClock()
        let test = try bridge(EventBus(clock: clock, logger: .silent))
        let attempts = Locked(0)
        test.bus.on(Site.pressure, .retry(2, shortest: .seconds(60), longest: .seconds(60))) { _, event in
            attempts.withLock { $0 += 1 }
            if event.event.attempt == 1 { throw CancellationError() }
        }
        async let received = test.receive("meters/p1/pressure", #"{"bar":5}"#)
        await clock.sleepsBegun(1)
        clock.advance(by: .seconds(60))
        #expect(await received && attempts.withLock { $0 } == 2)
    }

    @Test("a clock wakes those whose time has come, in any order, and those that are cancelled")
    func sleeping() async throws {
        let clock = TestClock()
        let (short, long) = (
            Task { try await clock.sleep(for: .seconds(1)) }, Task { try await clock.sleep(for: .seconds(2)) }
        )
        await clock.sleepsBegun(2)
        clock.advance(by: .seconds(1))
        try await short.value
        long.cancel()
        await #expect(throws: CancellationError.self) { try await long.value }
        try await clock.sleep(for: .zero)
    }
}
