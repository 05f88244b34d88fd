import TestSupport
import Testing

@testable import MQTTBridge

@Suite("BridgeEvent")
struct BridgeEventTests {
    private let bus = EventBus(logger: .silent)
    private let heard = Locked<[Event]>([])

    init() {
        bus.on("$bridge.*", delivery: .serial) { [heard] event in heard.withLock { $0.append(event) } }
    }

    @Test("what a bridge reports is read as it was meant, whatever characters it holds")
    func genuine() async throws {
        let reporter = StatusReporter(bus: bus, logger: .silent) { _, _ in }
        reporter.count(
            .deadletter,
            broker: "b",
            topic: "a/\"\n",
            reason: "é\u{1b}",
            number: 3,
            more: [("attempts", "2")]
        )
        reporter.report("$bridge.sessionlost", broker: "b")
        reporter.report("$bridge.storerecovered")
        await bus.waitUntilIdle()
        let events = heard.withLock { $0 }.compactMap { BridgeEvent($0) }
        #expect(events.map(\.kind) == [.deadLetter, .sessionLost, .storeRecovered])
        #expect(events[0].broker == "b" && events[0].topic == "a/\"\n" && events[0].reason == "é\u{1b}")
        #expect(
            events[0].count == 3 && events[0].total == 3 && events[0]["attempts"] == "2" && events[0]["none"] == nil
        )
        #expect(events[2].broker == nil && events[2].description == "storerecovered {}")
    }

    @Test("what anybody else emits under such a name is none")
    func forged() async throws {
        bus.emit("$bridge.connected", #"{"broker":"b"}"#)
        await bus.waitUntilIdle()
        #expect(heard.withLock { $0.map { BridgeEvent($0)?.kind } } == [nil])
    }

    @Test("a bridge runs once")
    func runsOnce() async throws {
        let bridge = try Bridge(bus: bus, brokers: [try Broker("mqtt://127.0.0.1:1")], logger: .silent)
        let first = Task { try await bridge.run() }
        first.cancel()
        _ = await first.result
        await #expect(throws: BridgeHasRun.self) { try await bridge.run() }
    }
}
