import AsyncEventBus
import Mosquitto
import TestSupport
import Testing

@testable import MQTTBridge

extension BridgeTests {
    @Suite("queues")
    struct Queues {
        /// Of what was published there.
        private func topics(_ broker: FakeBroker) -> [String] {
            broker.peers.flatMap(\.recorded).filter { $0.type == .publish }.compactMap { try? $0.publish().topic }
        }

        @Test(
            "what is emitted while the broker is away arrives once and in order when it is back",
            arguments: ProtocolVersion.allCases
        )
        func away(version: ProtocolVersion) async throws {
            let broker = try MosquittoBroker.start(configuration: "allow_anonymous true\npersistence true")
            let station = try Station([try .quick(broker.url, version)])
            try await withRunning(station) {
                station.bus.emit("a", "0")
                broker.stop()
                try await station.tells("disconnected")
                for number in 1...500 { station.bus.emit("a", "\(number)") }
                #expect(station.count <= 501)
                try broker.restart()
                try await withPlainClient(broker.url, version: version) { plain in
                    let bridge = station.bridge
                    try await withTimeLimit(.seconds(30)) { try await bridge.becomeReady() }
                    let last = station.bus.tracked.emit("a", "last")
                    try await withTimeLimit(.seconds(20)) { try await last.published() }
                    try await settled { plain.count + station.count }
                    // The plain client may come after the first; what it sees is in order and without doubles.
                    let numbers = plain.texts.dropLast().compactMap { Int($0) }
                    #expect(zip(numbers, numbers.dropFirst()).allSatisfy { $0 + 1 == $1 })
                    #expect(plain.texts.last == "last")
                }
            }
            #expect(station.texts("a") == (0...500).map(String.init) + ["last"])
            #expect(station.droppedNothing)
        }

        @Test(
            "F9: send suspends while the queue is full and the broker does not read, and loses nothing",
            arguments: ProtocolVersion.allCases
        )
        func sendSuspends(version: ProtocolVersion) async throws {
            let mayRead = Locked(false)
            let got = Locked<[String]>([])
            let broker = try FakeBroker { peer in
                try peer.accept()
                let subscribe = try peer.expectSubscribe()
                try peer.send(.suback(packetID: subscribe.packetID, reasons: [1]))
                while !mayRead.withLock({ $0 }) { _ = try peer.bytesAvailable(within: .milliseconds(20)) }
                try peer.serve { packet in
                    if packet.type == .publish { got.withLock { $0.append((try? packet.publish().text) ?? "?") } }
                    return nil
                }
            }
            let station = try Station([try .quick(broker.url, version) { $0.limits.queueCapacity = 20 }])
            let sent = Locked(0)
            try await withRunning(station) {
                let bus = station.bus
                let sender = Task {
                    for number in 0..<200 {
                        try await bus.emitWhenRoom("a", Payload("\(number)"))
                        sent.withLock { $0 += 1 }
                    }
                }
                #expect(try await eventually { sent.withLock { $0 == 20 } })
                try await settled { sent.withLock { $0 } }
                #expect(sent.withLock { $0 } == 20)
                mayRead.withLock { $0 = true }
                try await withTimeLimit(.seconds(20), "all is sent") { try await sender.value }
                #expect(try await eventually { got.withLock { $0.count >= 200 } })
            }
            #expect(got.withLock { $0 } == (0..<200).map(String.init))
            #expect(station.count == 200)
            #expect(station.droppedNothing)
            #expect(broker.errors.isEmpty)
        }

        @Test("a send that failed for want of room leaves no echo awaited")
        func noEchoLeft() async throws {
            let mayAnswer = Locked(false)
            let broker = try FakeBroker { peer in
                try peer.serve { packet in packet.type == .publish && !mayAnswer.withLock { $0 } ? [] : nil }
            }
            let station = try Station([try .quick(broker.url, .v3_1_1) { $0.limits.queueCapacity = 2 }])
            try await withRunning(station) {
                for _ in 0..<2 { station.bus.emit("a", "ours") }
                for _ in 0..<3 { station.bus.emit("b", "equal") }
                let peer = try #require(broker.peers.first)
                for _ in 0..<2 { try peer.send(.publish(topic: "a", payload: Array("ours".utf8))) }
                for _ in 0..<3 { try peer.send(.publish(topic: "b", payload: Array("equal".utf8))) }
                try await station.hears(8)
                try await settled { station.count }
            }
            #expect(station.texts("a").count == 2)
            #expect(station.texts("b").count == 6)
        }

        @Test(
            "a send whose event does not fit while the broker is away waits without working, and can be cancelled",
            arguments: [true, false]
        )
        func doesNotFit(hasHeaders: Bool) async throws {
            let station = try Station([try .quick("mqtt://127.0.0.1:1") { $0.limits.queueBytes = 10_000 }])
            station.bus.emit("a", Payload([UInt8](repeating: 0, count: 4_000)))
            let text = String(repeating: "x", count: 7_000)
            let bus = station.bus
            // Where room is found for ever, one task has the thread for ever.
            let executor = StepExecutor()
            let sender = Task(executorPreference: executor) {
                if hasHeaders {
                    try await bus.emitWhenRoom("a", attributes: EventAttributes(headers: [.init("large", text)]))
                } else {
                    try await bus.emitWhenRoom("a", Payload(text))
                }
            }
            try await withTimeLimit(.seconds(30)) { try await onThread { executor.step() } }
            sender.cancel()
            executor.runFreely()
            await #expect(throws: CancellationError.self) {
                try await withTimeLimit(.seconds(30)) { try await sender.value }
            }
        }

        @Test("a broker whose queue is full keeps an event from no other: the loss is told with its broker and topic")
        func otherBroker() async throws {
            let broker = try FakeBroker { try $0.serve() }
            let away = try Broker.quick("mqtt://127.0.0.1:1", name: "away") { $0.limits.queueCapacity = 1 }
            let routes = [
                Route("away/{n}", "t.{n}", direction: .out, broker: "away"),
                Route("here/{n}", "t.{n}", direction: .out, broker: "here"),
            ]
            let station = try Station([away, try .quick(broker.url, name: "here")], routes: routes)
            try await withRunning(station, ready: false) {
                let receipts = (0..<3).map { station.bus.tracked.emit(EventName(spelled: "t.\($0)")) }
                try await until { receipts.map(\.summary.published) == [1, 1, 1] }
                #expect(receipts.map(\.summary.refused) == [0, 1, 1])
                let dropped = try await station.tells("dropped")
                #expect((dropped["broker"], dropped["topic"]) == ("away", "away/1"))
            }
            #expect(topics(broker) == ["here/0", "here/1", "here/2"])
        }

        @Test("a send for two brokers waits for the one that is full, and reaches the other once and meanwhile")
        func sendToTwo() async throws {
            let broker = try FakeBroker { try $0.serve() }
            let away = try Broker.quick("mqtt://127.0.0.1:1", name: "away") { $0.limits.queueCapacity = 1 }
            for names in [["here", "away"], ["away", "here"]] {
                let routes = try names.map {
                    Route(try TopicTemplate("\($0)/{n}"), "t.{n}", direction: .out, broker: $0)
                }
                let station = try Station([away, try .quick(broker.url, name: "here")], routes: routes)
                let count = topics(broker).count
                try await withRunning(station, ready: false) {
                    station.bus.emit("t.0")
                    let bus = station.bus
                    let sender = Task { try await bus.emitWhenRoom("t.1") }
                    try await until { topics(broker).count == count + 2 }
                    try await settled { topics(broker).count }
                    sender.cancel()
                    await #expect(throws: CancellationError.self) { try await sender.value }
                }
                #expect(topics(broker).count == count + 2)
                #expect(station.reports("dropped").isEmpty)
            }
        }

        @Test("a send that waits is cancelled at once")
        func cancelled() async throws {
            let station = try Station([try .quick("mqtt://127.0.0.1:1") { $0.limits.queueCapacity = 1 }])
            station.bus.emit("a")
            let bus = station.bus
            let sender = Task { try await bus.emitWhenRoom("a") }
            sender.cancel()
            await #expect(throws: CancellationError.self) {
                try await withTimeLimit(.seconds(30)) { try await sender.value }
            }
        }
    }
}
