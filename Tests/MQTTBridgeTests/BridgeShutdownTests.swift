import AsyncEventBus
import MessageStore
import Mosquitto
import ServiceLifecycle
import TestSupport
import Testing

@testable import MQTTBridge

extension BridgeTests {
    @Suite("shutdown")
    struct Shutdown {
        private func broker(_ url: String, _ version: ProtocolVersion) throws -> Broker {
            try .quick(url, version) { $0.will = Will(Message(topic: "gone", payload: [1])) }
        }

        @Test(
            "a graceful shutdown publishes what waits and says DISCONNECT: no will",
            arguments: ProtocolVersion.allCases
        )
        func graceful(version: ProtocolVersion) async throws {
            let broker = try MosquittoBroker.start()
            // Out only: see the next test.
            let station = try Station(
                [try self.broker(broker.url, version)],
                routes: [Route("a", "a", direction: .out)]
            )
            try await withPlainClient(broker.url) { plain in
                let group = ServiceGroup(
                    configuration: .init(services: [.init(service: station.bridge)], logger: .silent)
                )
                let run = Task { try await group.run() }
                try await station.tells("subscribed")
                for number in 0..<500 { station.bus.emit("a", "\(number)") }
                let began = ContinuousClock.now
                await group.triggerGracefulShutdown()
                try await withTimeLimit(.seconds(30), "the group ends") { try await run.value }
                #expect(began.duration(to: .now) < .seconds(5).stretched)
                try await plain.hears(500)
                try await settled { plain.count }
                #expect(plain.texts == (0..<500).map(String.init))
                #expect(station.reports("disconnected").last?["code"] == "shutdown")
                // Whoever emits afterwards has no transport any more.
                await #expect(throws: EventBusError.self) { try await station.bus.tracked.emit("a").published() }
                await #expect(throws: CancellationError.self) { try await station.bridge.becomeReady() }
            }
        }

        @Test("a shutdown amid incoming messages says DISCONNECT as well: no will", arguments: ProtocolVersion.allCases)
        func gracefulUnderLoad(version: ProtocolVersion) async throws {
            let broker = try MosquittoBroker.start()
            let station = try Station([try self.broker(broker.url, version)])
            try await withPlainClient(broker.url, ["gone"]) { plain in
                try await withPlainClient(broker.url, []) { other in
                    try await withRunning(station) {
                        for number in 0..<500 { station.bus.emit("a", "\(number)") }
                        for number in 0..<200 { try await other.publish("b", "\(number)", qos: .atMostOnce) }
                    }
                }
                try await settled { plain.count }
                #expect(plain.count == 0)
            }
        }

        @Test(
            "a broker that is frozen holds the end up no longer than the limit",
            arguments: ProtocolVersion.allCases
        )
        func frozen(version: ProtocolVersion) async throws {
            let broker = try MosquittoBroker.start()
            var options = try self.broker(broker.url, version)
            options.options.timeouts.drain = .milliseconds(500)
            let station = try Station([options])
            let bridge = station.bridge
            let run = Task { try await bridge.run() }
            try await station.tells("subscribed")
            broker.freeze()
            let receipts = (0..<300).map { station.bus.tracked.emit("a", "\($0)") }
            let began = ContinuousClock.now
            run.cancel()
            try await withTimeLimit(.seconds(30), "run() returns") { try await run.value }
            let time = began.duration(to: .now)
            #expect(time > .milliseconds(400))
            #expect(time < .seconds(4).stretched)
            for receipt in [receipts[0], receipts[299]] {
                let error = await #expect(throws: ClientError.self) { try await receipt.published() }
                #expect(error?.code == .notRunning)
            }
            broker.thaw()
        }

        @Test("a bridge that ends for a reason says it to who waits", .timeLimit(.deadlock))
        func fails() async throws {
            let broker = try FakeBroker { try $0.serve() }
            let station = try Station([try .quick("mqtt://127.0.0.1:\(broker.port)")])
            let bridge = station.bridge
            let run = Task { try await bridge.run() }
            try await withTimeLimit(.seconds(30)) { try await bridge.becomeReady() }
            try broker.peers[0].send(.disconnect(reason: ReasonCode.sessionTakenOver.rawValue))
            let error = await #expect(throws: ClientError.self) {
                try await withTimeLimit(.seconds(30)) { try await run.value }
            }
            #expect(error?.code == .takenOver)
            await #expect(throws: ClientError.self) { try await bridge.becomeReady() }
            #expect(!bridge.isReady)
        }

        @Test(
            "one of two brokers that ends for good ends it at once, and the other is left in order",
            arguments: [true, false]
        )
        func oneOfTwo(isDurable: Bool) async throws {
            let fake = try FakeBroker { try $0.serve() }
            let other = try MosquittoBroker.start()
            let store = isDurable ? MemoryStore() : nil
            let station = try Station(
                [try .quick("mqtt://127.0.0.1:\(fake.port)", name: "fake"), try broker(other.url, .v5)],
                routes: [Route("a", "a", direction: .both), Route("b", "b", direction: .both, broker: "fake")],
                store: store
            )
            let bridge = station.bridge
            try await withPlainClient(other.url, ["a", "gone"]) { plain in
                let run = Task { try await bridge.run() }
                try await station.tells("subscribed", 2)
                station.bus.emit("a", "1")
                try fake.peers[0].send(.disconnect(reason: ReasonCode.sessionTakenOver.rawValue))
                let error = await #expect(throws: ClientError.self) {
                    try await withTimeLimit(.seconds(30), "run() throws") { try await run.value }
                }
                #expect(error?.code == .takenOver)
                try await settled { plain.count }
                let kept = try store?.count(.outbound) ?? 0
                #expect(plain.texts == (kept == 0 ? ["1"] : []), "what waited was published or stayed, and no will")
            }
        }

        @Test("a bridge that is given up takes nothing from the bus any more")
        func released() async throws {
            let bus = EventBus()
            var bridge: Bridge? = try Bridge(bus: bus, brokers: [try .quick("mqtt://127.0.0.1:1")], logger: .silent)
            #expect(bus.tracked.emit("a").summary.relayed == 1)
            #expect(bridge?.isReady == false)
            bridge = nil
            #expect(bus.tracked.emit("a").summary.relayed == 0)
        }
    }
}
