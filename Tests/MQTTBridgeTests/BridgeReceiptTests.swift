import AsyncEventBus
import Mosquitto
import TestSupport
import Testing

@testable import MQTTBridge

extension BridgeTests {
    @Suite("receipts")
    struct Receipts {
        @Test(
            "an event is published when the broker has acknowledged it, and not before",
            arguments: ProtocolVersion.allCases
        )
        func published(version: ProtocolVersion) async throws {
            let mayAnswer = Locked(false)
            let held = Locked<[UInt16]>([])
            let broker = try FakeBroker { peer in
                try peer.serve { packet in
                    guard packet.type == .publish, !mayAnswer.withLock({ $0 }), let id = packet.packetID else {
                        return nil
                    }
                    held.withLock { $0.append(id) }
                    return []
                }
            }
            let station = try Station([try .quick(broker.url, version)])
            try await withRunning(station) {
                let receipt = station.bus.tracked.emit("a.b", "x")
                #expect(try await eventually { held.withLock { $0.count == 1 } })
                #expect(receipt.summary.relayed == 1)
                #expect(receipt.summary.published == 0)
                mayAnswer.withLock { $0 = true }
                try #require(broker.peers.first).send(.puback(packetID: held.withLock { $0[0] }))
                try await withTimeLimit(.seconds(30)) { try await receipt.published() }
                try await receipt.finished()
                #expect(receipt.summary.published == 1)
                #expect(receipt.summary.delivered == 1)
            }
            #expect(broker.errors.isEmpty)
        }

        @Test("F24: what the broker refuses is not counted as delivered, and its reason is told")
        func refused() async throws {
            let folder = try TemporaryDirectory()
            let rules = try folder.write("topic read #\ntopic write open/#\n", to: "acl", permissions: 0o644)
            let broker = try MosquittoBroker.start(configuration: "allow_anonymous true\nacl_file \(rules)")
            let station = try Station([try .quick(broker.url)])
            try await withRunning(station) {
                let receipt = station.bus.tracked.emit("closed.x", "secret")
                let error = await #expect(throws: ClientError.self) {
                    try await withTimeLimit(.seconds(30)) { try await receipt.published() }
                }
                #expect(error?.code == .notAuthorized)
                #expect(error?.reason == .notAuthorized)
                #expect("\(String(describing: error))".contains("secret") == false)
                #expect(receipt.summary.refused == 1)
                #expect(receipt.summary.published == 0)
                let report = try await station.tells("refused")
                #expect(report["topic"] == "closed/x")
                #expect(report["reason"]?.contains("not authorised") == true)
                let open = station.bus.tracked.emit("open.x")
                try await withTimeLimit(.seconds(30)) { try await open.published() }
            }
            #expect(station.reports("refused").count == 1)
        }

        @Test(
            "F24: a refusal is told where nobody asked for a receipt, of a state as well",
            arguments: [.never, .always] as [Retention]
        )
        func refusedUnasked(retain: Retention) async throws {
            let folder = try TemporaryDirectory()
            let rules = try folder.write("topic read #\n", to: "acl", permissions: 0o644)
            let broker = try MosquittoBroker.start(configuration: "allow_anonymous true\nacl_file \(rules)")
            let station = try Station([try .quick(broker.url)], routes: [Route("a/{x}", "a.{x}", retain: retain)])
            try await withRunning(station) {
                station.bus.emit("a.b", "1")
                let report = try await station.tells("refused")
                #expect(report["topic"] == "a/b")
            }
            #expect(station.reports("refused").count == 1)
        }

        @Test(
            "an event that no route takes is not relayed, one that cannot be a topic is refused",
            arguments: ProtocolVersion.allCases
        )
        func notRelayed(version: ProtocolVersion) async throws {
            let broker = try MosquittoBroker.start()
            let routes = [Route("a/{r...}", "a.{r...}")]
            let station = try Station([try .quick(broker.url, version)], routes: routes)
            try await withPlainClient(broker.url) { plain in
                try await withRunning(station) {
                    let elsewhere = await #expect(throws: EventBusError.self) {
                        try await station.bus.tracked.emit("b").published()
                    }
                    #expect(elsewhere?.code == .notRelayed)
                    for name in ["a.x+y", "a.#", "a.b/c"] as [EventName] {
                        let error = await #expect(throws: ClientError.self) {
                            try await station.bus.tracked.emit(name).published()
                        }
                        #expect(error?.code == .invalidTopic)
                    }
                    #expect(try await station.tells("refused")["topic"] == "a/x+y")
                    try await station.bus.tracked.emit("a.fine").published()
                    try await plain.hears(1)
                    try await settled { plain.count }
                }
                #expect(plain.messages.map(\.topic) == ["a/fine"])
            }
            #expect(station.count == 5)
        }

        @Test("one event through two routes is published when both brokers have it")
        func twoBrokers() async throws {
            let (left, right) = (try MosquittoBroker.start(), try MosquittoBroker.start())
            right.stop()
            let station = try Station(
                [try .quick(left.url, name: "left"), try .quick(right.url, name: "right")],
                routes: ["left", "right"].map { Route("a", "a", name: $0, broker: $0) }
            )
            try await withRunning(station, ready: false) {
                try await station.tells("subscribed")
                let receipt = station.bus.tracked.emit("a")
                #expect(try await eventually { receipt.summary.published == 1 })
                #expect(receipt.summary.relayed == 2)
                try right.restart()
                try await withTimeLimit(.seconds(30)) { try await receipt.published() }
                #expect(receipt.summary.published == 2)
            }
        }
    }
}
