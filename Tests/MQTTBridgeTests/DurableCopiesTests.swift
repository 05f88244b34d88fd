import AsyncEventBus
import MessageStore
import Mosquitto
import TestSupport
import Testing

@testable import MQTTBridge

extension BridgeTests {
    @Suite("copies from two brokers")
    struct DurableCopies {
        private let left: FakeBroker
        private let right: FakeBroker
        private let store = WatchedStore()

        init() throws {
            left = try FakeBroker { try $0.serve() }
            right = try FakeBroker { try $0.serve() }
        }

        private func station(_ durability: Durability? = nil) throws -> Station {
            try Station(
                [try .quick(left.url, name: "left"), try .quick(right.url, name: "right")],
                routes: [
                    Route("d/{n}", "d.{n}", direction: .in, name: "left", broker: "left", durability: durability),
                    Route("d/{n}", "d.{n}", direction: .in, name: "right", broker: "right"),
                ],
                store: store
            )
        }

        private func send(_ broker: FakeBroker, _ ids: Int...) throws {
            let packets = ids.enumerated().flatMap { offset, id in
                FakeBroker.ServerPacket.publish(
                    topic: "d/a",
                    payload: Array("\(id)".utf8),
                    qos: 1,
                    packetID: UInt16(offset + 1),
                    properties: [.userProperty(PropertyName.id, "elsewhere/\(id)")]
                )
                .encode(.v5)
            }
            try #require(broker.peers.last).sendRaw(packets)
        }

        private func acknowledged(_ broker: FakeBroker) -> Int {
            broker.peers.flatMap(\.recorded).count { $0.type == .puback }
        }

        @Test("a copy of what is being committed waits for that commit, and is not heard again")
        func committing() async throws {
            let station = try station()
            try await withRunning(station) {
                store.hold()
                defer { store.release() }
                try send(left, 1)
                try await until { store.isWaiting }
                try send(right, 1)
                try await settled { acknowledged(right) }
                #expect(acknowledged(left) == 0 && acknowledged(right) == 0)
                store.release()
                try await until { acknowledged(left) == 1 && acknowledged(right) == 1 }
            }
            #expect(station.texts("d.a") == ["1"])
        }

        @Test("when that commit fails the copy is refused as well, and either is taken when it comes again")
        func failing() async throws {
            let station = try station()
            try await withRunning(station) {
                store.hold()
                defer { store.release() }
                try send(left, 1)
                try await until { store.isWaiting }
                try send(right, 1)
                try await settled { acknowledged(right) }
                store.fail(.io)
                store.release()
                try await station.tells("parked", 2)
                #expect(acknowledged(left) == 0 && acknowledged(right) == 0)
                store.fail(nil)
                try await until { left.connections == 2 && right.connections == 2 && station.bridge.isReady }
                try send(right, 1)
                try await until { acknowledged(right) == 1 }
                try send(left, 1)
                try await until { acknowledged(left) == 1 }
            }
            #expect(station.texts("d.a") == ["1"])
        }

        @Test("two brokers that deliver the same messages in another order do not wait for each other")
        func crossed() async throws {
            let station = try station()
            try await withRunning(station) {
                for round in 0..<50 {
                    try send(left, 2 * round, 2 * round + 1)
                    try send(right, 2 * round + 1, 2 * round)
                }
                try await until { acknowledged(left) == 100 && acknowledged(right) == 100 }
                try await until { try store.count(.inbound) == 0 }
            }
            #expect(station.texts("d.a").sorted() == (0..<100).map(String.init).sorted())
        }

        @Test("a copy of what came by a route that keeps nothing is stored before it is acknowledged, and then known")
        func fromMemory() async throws {
            let station = try station(.memory)
            try await withRunning(station) {
                try send(left, 1)
                try await until { acknowledged(left) == 1 }
                store.hold()
                defer { store.release() }
                try send(right, 1)
                try await until { store.isWaiting }
                try await settled { acknowledged(right) }
                #expect(acknowledged(right) == 0)
                store.release()
                try await until { acknowledged(right) == 1 }
                try send(right, 1)
                try send(left, 1)
                try await until { acknowledged(right) == 2 && acknowledged(left) == 2 }
            }
            #expect(store.batches.flatMap(\.arrivals).map(\.tag) == ["1"])
            #expect(station.texts("d.a") == ["1", "1"])
        }

        @Test("of what is refused, the broker sends QoS 1 again; QoS 2 in memory is heard, and what is left is told")
        func unrepeatable() async throws {
            let routes = [
                Route("d/{n}", "d.{n}", direction: .in),
                Route("m/{n}", "m.{n}", direction: .in, qos: .exactlyOnce, durability: .memory),
            ]
            let station = try Station([try .quick(left.url)], routes: routes, store: store)
            try await withRunning(station) {
                let peer = try #require(left.peers.last)
                try peer.send(.publish(topic: "m/a", payload: [50], qos: 2, packetID: 7))
                try await until { peer.recorded.contains { $0.type == .pubrec } }
                store.fail(.full)
                let packets: [FakeBroker.ServerPacket] = [
                    .publish(topic: "d/a", payload: [48], qos: 0),
                    .publish(topic: "d/a", payload: [49], qos: 1, packetID: 1), .pubrel(packetID: 7),
                ]
                try peer.sendRaw(packets.flatMap { $0.encode(.v5) })
                let report = try await station.tells("dropped")
                #expect((report["topic"], report["count"]) == ("d/a", "1"))
                try await until { station.texts("m.a") == ["2"] }
                #expect(station.texts("d.a") == [])
                store.fail(nil)
            }
        }
    }
}
