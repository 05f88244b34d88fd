import AsyncEventBus
import MessageStore
import Mosquitto
import TestSupport
import Testing

@testable import MQTTBridge

extension BridgeTests {
    @Suite("durable out: receipts")
    struct DurableReceipts {
        private let routes = [Route("o/{n}", "o.{n}", direction: .out)]

        /// A broker that refuses every publish on one topic as long as it is too busy.
        private func busyBroker(at topic: String) throws -> FakeBroker {
            try FakeBroker { peer in
                try peer.serve { packet in
                    guard packet.type == .publish else { return nil }
                    let publish = try packet.publish()
                    guard publish.topic == topic else { return nil }
                    return [.puback(packetID: publish.packetID ?? 0, reason: 0x97)]
                }
            }
        }

        @Test("the receipt of a message whose topic is held up while others wait in the store is told once")
        func heldUp() async throws {
            let broker = try busyBroker(at: "o/busy")
            let store = MemoryStore()
            let first = try Station([try .quick("mqtt://127.0.0.1:1")], routes: routes, store: store)
            for number in 0..<100 { first.bus.emit("o.old", Payload("\(number)")) }
            try await until { try store.count(.outbound) == 100 }

            var slow = try Broker.quick(broker.url)
            slow.drainRate = 5
            let second = try Station([slow], routes: routes, store: store)
            let receipts = try await withRunning(second) {
                let receipts = [second.bus.tracked.emit("o.busy", "1")]
                try await until { broker.publishes(on: "o/busy") >= 2 }
                let more = second.bus.tracked.emit("o.busy", "2")
                try await withTimeLimit(.seconds(30)) { try await more.stored() }
                // What waits from before is still read.
                #expect(try store.count(.outbound) > 2)
                return receipts + [more]
            }
            for receipt in receipts {
                await #expect(throws: EventBusError.self) {
                    try await withTimeLimit(.seconds(5)) { try await receipt.published() }
                }
                #expect((receipt.summary.refused, receipt.summary.postponed) == (0, 1))
            }
            #expect(try store.waiting().suffix(2) == ["1", "2"])
        }
    }
}

extension FakeBroker {
    /// How many messages came on a topic.
    fileprivate func publishes(on topic: String) -> Int {
        peers.flatMap(\.recorded).count { (try? $0.publish().topic) == topic }
    }
}
