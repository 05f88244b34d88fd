import AsyncEventBus
import Logging
import Mosquitto
import TestSupport
import Testing

@testable import MQTTBridge

extension BridgeTests {
    @Suite("status events")
    struct Status {
        @Test(
            "presence is retained: online while the bridge runs, offline after it",
            arguments: ProtocolVersion.allCases
        )
        func presence(version: ProtocolVersion) async throws {
            let broker = try MosquittoBroker.start()
            var own = try Broker.quick(broker.url, version)
            #expect(own.presence == nil)
            own.presence = "sites/1/gateway"
            #expect(own.presence == "sites/1/gateway")
            let station = try Station([own], routes: [Route("a", "a")])
            try await withRunning(station) {
                try await withPlainClient(broker.url, ["sites/#"], version: version) { plain in
                    try await plain.hears(1)
                    #expect(plain.texts == ["online"])
                }
            }
            try await withPlainClient(broker.url, ["sites/#"], version: version) { plain in
                try await plain.hears(1)
                #expect(plain.texts == ["offline"])
            }
            own.presence = nil
            #expect(own.options.will == nil)
        }

        @Test(
            "connection, subscriptions and the end of a connection are told with their reason",
            arguments: ProtocolVersion.allCases
        )
        func connection(version: ProtocolVersion) async throws {
            let broker = try MosquittoBroker.start()
            let station = try Station([try .quick(broker.url, version)])
            try await withRunning(station) {
                let connected = try await station.tells("connected")
                #expect(connected["broker"] == "default")
                #expect(connected["url"] == broker.url)
                #expect(connected["version"] == version.rawValue)
                #expect(connected["session_present"] == "false")
                let subscribed = try await station.tells("subscribed")
                #expect(subscribed["filters"] == "1")
                #expect(subscribed["refused"] == "0")
                #expect(station.bridge.isReady)
                broker.stop()
                let disconnected = try await station.tells("disconnected")
                #expect(disconnected["reason"]?.isEmpty == false)
                #expect(disconnected["code"] != "shutdown")
                #expect(!station.bridge.isReady)
                try broker.restart()
                try await station.tells("connected", 2)
                try await station.tells("subscribed", 2)
            }
            #expect(station.reports("disconnected").last?["code"] == "shutdown")
            #expect(station.reports("sessionlost").isEmpty)
            #expect(station.count == 0)
        }

        @Test(
            "a subscription that is refused is told and ends the wait; what is granted works",
            arguments: ProtocolVersion.allCases
        )
        func subscriptionRefused(version: ProtocolVersion) async throws {
            let broker = try FakeBroker { peer in
                try peer.serve { packet in
                    guard packet.type == .subscribe else { return nil }
                    let subscribe = try packet.subscribe()
                    let reasons: [UInt8] = subscribe.filters.map {
                        $0.filter == "a" ? (peer.version == .v5 ? 0x87 : 0x80) : $0.qos
                    }
                    return [
                        .suback(packetID: subscribe.packetID, reasons: reasons), .publish(topic: "b", payload: [1]),
                    ]
                }
            }
            let station = try Station([try .quick(broker.url, version)], routes: [Route("a", "a"), Route("b", "b")])
            try await withRunning(station, ready: false) {
                let bridge = station.bridge
                let error = await #expect(throws: ClientError.self) {
                    try await withTimeLimit(.seconds(30)) { try await bridge.becomeReady() }
                }
                #expect(error?.code == (version == .v5 ? .notAuthorized : .rejected))
                let reason = version == .v5 ? "not authorized (0x87)" : "the broker gives no reason (0x80)"
                #expect(error?.description.contains(reason) == true)
                #expect(error?.operation == "subscribe to \"a\"")
                #expect(!bridge.isReady)
                let refused = try await station.tells("refused")
                #expect(refused["topic"] == "a")
                #expect(refused["reason"] == "subscription: \(reason)")
                #expect(try await station.tells("subscribed")["refused"] == "1")
                try await station.hears(1)
            }
            #expect(station.events.map(\.name) == ["b"])
            #expect(broker.errors.isEmpty)
        }

        @Test(
            "a payload above the limit is dropped and told, one at the limit passes",
            arguments: ProtocolVersion.allCases
        )
        func payloadLimit(version: ProtocolVersion) async throws {
            let broker = try MosquittoBroker.start()
            var options = BridgeOptions()
            options.maximumPayload = 100
            let station = try Station([try .quick(broker.url, version)], options: options)
            try await withPlainClient(broker.url, []) { plain in
                try await withRunning(station) {
                    for size in [101, 100, 5_000] {
                        try await plain.publish("t/\(size)", String(repeating: "x", count: size))
                    }
                    try await plain.publish("t/after", "")
                    try await station.hears(2)
                    let dropped = try await station.tells("dropped")
                    #expect(dropped["topic"] == "t/101")
                    #expect(dropped["reason"] == "payload of 101 bytes exceeds the limit of 100")
                }
            }
            #expect(station.events.map(\.name) == ["t.100", "t.after"])
        }

        @Test(
            "a queue that is full while the broker is away drops, tells and refuses",
            arguments: ProtocolVersion.allCases
        )
        func queueFull(version: ProtocolVersion) async throws {
            let broker = try MosquittoBroker.start()
            broker.stop()
            let recorder = LogRecorder()
            let brokers = [try Broker.quick(broker.url, version) { $0.limits.queueCapacity = 10 }]
            let station = try Station(brokers, logger: recorder.logger)
            for number in 0..<10 { station.bus.emit(EventName(spelled: "q.\(number)")) }
            let receipt = station.bus.tracked.emit("q.late")
            let error = await #expect(throws: ClientError.self) { try await receipt.published() }
            #expect(error?.code == .queueFull)
            let dropped = try await station.tells("dropped")
            #expect((dropped["broker"], dropped["topic"], dropped["total"]) == ("default", "q/late", "1"))
            let line = recorder.lines.first { $0.level == .warning }
            #expect((line?["broker"], line?["topic"], line?["count"]) == ("default", "q/late", "1"))
            try broker.restart()
            try await withPlainClient(broker.url) { plain in
                try await withRunning(station) {
                    try await plain.hears(10)
                    try await settled { plain.count }
                }
                #expect(plain.messages.map(\.topic) == (0..<10).map { "q/\($0)" })
            }
            #expect(station.count == 11)
        }

        @Test("a burst of losses is told and logged to the last, at the latest at the end", arguments: [true, false])
        func burst(isRunning: Bool) async throws {
            let recorder = LogRecorder()
            let broker = try Broker.quick("mqtt://127.0.0.1:1") { $0.limits.queueCapacity = 1 }
            let station = try Station([broker], logger: recorder.logger)
            func counts() -> Int {
                let lines = recorder.lines.filter { $0.message == "messages dropped" }
                return lines.compactMap { $0["count"].flatMap { Int($0) } }.reduce(0, +)
            }
            if isRunning {
                try await withRunning(station, ready: false) {
                    for _ in 0..<1_000 { station.bus.emit("a") }
                    try await until { counts() == 999 }
                }
            } else {
                for _ in 0..<1_000 { station.bus.emit("a") }
                try await withRunning(station, ready: false) {}
            }
            #expect(counts() == 999)
            #expect(station.reports("dropped").compactMap { $0["count"].flatMap { Int($0) } }.reduce(0, +) == 999)
        }

        @Test("a session that the broker promised to keep and lost is told", arguments: ProtocolVersion.allCases)
        func sessionLost(version: ProtocolVersion) async throws {
            let broker = try MosquittoBroker.start()
            let station = try Station([try .quick(broker.url, version) { $0.session.expiry = .seconds(3_600) }])
            try await withRunning(station) {
                broker.kill()
                try broker.restart()
                let lost = try await station.tells("sessionlost")
                #expect(lost["broker"] == "default")
                try await station.tells("subscribed", 2)
            }
            #expect(station.reports("sessionlost").count == 1)
        }
    }
}
