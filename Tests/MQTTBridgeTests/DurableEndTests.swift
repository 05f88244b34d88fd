import AsyncEventBus
import MessageStore
import Mosquitto
import TestSupport
import Testing

@testable import MQTTBridge

extension BridgeTests {
    @Suite("an end in order")
    struct DurableEnd {
        private let routes = [
            Route("t/{n}", "t.{n}", direction: .in), Route("o/{n}", "o.{n}", direction: .out),
            Route("m/{n}", "m.{n}", direction: .both, durability: .memory),
        ]

        private func publish(_ broker: FakeBroker, _ topics: [String]) throws {
            let peer = try #require(broker.peers.last)
            for (offset, topic) in topics.enumerated() {
                let payload = Array(topic.utf8)
                try peer.send(.publish(topic: topic, payload: payload, qos: 1, packetID: UInt16(offset + 1)))
            }
        }

        private func published(_ broker: FakeBroker) -> [String] {
            broker.peers.flatMap(\.recorded).filter { $0.type == .publish }
                .compactMap { try? $0.publish() }.map { "\($0.topic) \($0.text)" }
        }

        @Test("calls that run are noted, none begins, and the next process has the rest: nothing runs twice")
        func calls() async throws {
            let broker = try FakeBroker { try $0.serve() }
            let store = MemoryStore()
            let station = try Station([try .quick(broker.url)], routes: routes, store: store, hears: false)
            let slow = Hearer(isOpen: false)
            try slow.join(station.bus, "slow", to: "t.*")
            let bridge = station.bridge
            let run = Task { try await bridge.run() }
            try await withTimeLimit(.seconds(30)) { try await bridge.becomeReady() }
            try publish(broker, (0..<5).map { "t/\($0)" })
            try await until { try slow.calls.count == 1 && store.count(.inbound) == 5 }
            run.cancel()
            // Those that waited in the mailbox are taken out of it before the call that runs may end.
            try await until { station.bus.durableMailboxes().allSatisfy { _ in station.waiting == 0 } }
            slow.open()
            try await withTimeLimit(.seconds(30), "run() returns") { try await run.value }
            #expect(slow.finished == ["t/0"])
            #expect(try store.count(.inbound) == 4)
            let report = try await station.tells("stopped")
            #expect((report["running"], report["inbound"], report["lost"]) == ("0", "4", "0"))

            let next = try Station([try .quick(broker.url)], routes: routes, store: store, hears: false)
            let hearer = Hearer()
            try hearer.join(next.bus, "slow", to: "t.*")
            try await withRunning(next) { try await until { try store.count(.inbound) == 0 } }
            #expect(hearer.calls == (1..<5).map { Hearer.Call(text: "t/\($0)", attempt: 1) })
        }

        @Test("a call that takes longer than the limit holds nothing up, and is told")
        func endless() async throws {
            let broker = try FakeBroker { try $0.serve() }
            let store = MemoryStore()
            let quick = try Broker.quick(broker.url) { $0.timeouts.drain = .milliseconds(200) }
            let station = try Station([quick], routes: routes, store: store, hears: false)
            let endless = Hearer(isOpen: false)
            try endless.join(station.bus, "endless", to: "t.*")
            let began = Locked(ContinuousClock.now)
            try await withRunning(station, idle: { endless.open() }) {
                try publish(broker, ["t/0"])
                try await until { endless.calls.count == 1 }
                began.withLock { $0 = .now }
            }
            #expect(began.withLock { $0 }.duration(to: .now) < .seconds(5).stretched)
            let report = try await station.tells("stopped")
            #expect((report["running"], report["inbound"]) == ("1", "1"))
            #expect(try store.count(.inbound) == 1)
        }

        @Test(
            "what a running listener emits is published, and on a durable route stored, with whatever broker",
            arguments: ProtocolVersion.allCases
        )
        func emits(version: ProtocolVersion) async throws {
            let broker = try FakeBroker { try $0.serve() }
            let store = MemoryStore()
            let station = try Station([try .quick(broker.url, version)], routes: routes, store: store, hears: false)
            let (gate, hasBegun) = (Gate(), Locked(false))
            try station.bus.on("t.*", durable: "emitter") { [bus = station.bus] _ in
                hasBegun.withLock { $0 = true }
                await gate.pass()
                bus.emit("o.a", "durable")
                bus.emit("m.a", "plain")
            }
            let bridge = station.bridge
            let run = Task { try await bridge.run() }
            try await withTimeLimit(.seconds(30)) { try await bridge.becomeReady() }
            try publish(broker, ["t/0"])
            try await until { hasBegun.withLock { $0 } }
            run.cancel()
            try await until { station.isEnding }
            gate.open()
            try await withTimeLimit(.seconds(30), "run() returns") { try await run.value }
            #expect(published(broker).sorted() == ["m/a plain", "o/a durable"])
            #expect(try store.count(.inbound) == 0 && store.count(.outbound) == 0)
        }

        @Test("at the end a stored emit is left to the next process and not refused; one that nobody keeps is lost")
        func receipts() async throws {
            let store = MemoryStore()
            let away = try Broker.quick("mqtt://127.0.0.1:1") { $0.timeouts.drain = .milliseconds(100) }
            let first = try Station([away], routes: routes, store: store)
            let (kept, lost) = try await withRunning(first, ready: false) {
                let kept = first.bus.tracked.emit("o.a", "1")
                let lost = first.bus.tracked.emit("m.a", "2")
                first.bus.emit("m.a", "3")
                try await withTimeLimit(.seconds(30)) { try await kept.stored() }
                return (kept, lost)
            }
            let error = await #expect(throws: EventBusError.self) {
                try await withTimeLimit(.seconds(5)) { try await kept.published() }
            }
            #expect(error?.code == .postponed)
            #expect((kept.summary.refused, kept.summary.postponed, kept.summary.published) == (0, 1, 0))
            let refusal = await #expect(throws: ClientError.self) {
                try await withTimeLimit(.seconds(5)) { try await lost.published() }
            }
            #expect(refusal?.code == .notRunning)
            let report = try await first.tells("stopped")
            #expect((report["outbound"], report["lost"]) == ("1", "2"))

            let broker = try FakeBroker { try $0.serve() }
            let second = try Station([try .quick(broker.url)], routes: routes, store: store)
            try await withRunning(second) { try await until { try store.count(.outbound) == 0 } }
            #expect(published(broker) == ["o/a 1"])
        }
    }
}

extension Station {
    /// Whether the bridge has been told to end.
    fileprivate var isEnding: Bool { bridge.isEnding }

    /// How many messages wait in mailboxes.
    fileprivate var waiting: Int { bus.durableMailboxes().reduce(0) { $0 + $1.waiting } }
}
