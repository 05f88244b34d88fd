import AsyncEventBus
import MessageStore
import Mosquitto
import TestSupport
import Testing

@testable import MQTTBridge

extension BridgeTests {
    @Suite("durable out")
    struct DurableOut {
        private let routes = [Route("o/{n}", "o.{n}", direction: .out)]

        private func published(_ broker: FakeBroker) -> [FakeBroker.PublishPacket] {
            broker.peers.flatMap(\.recorded).filter { $0.type == .publish }.compactMap { try? $0.publish() }
        }

        @Test("an emit is stored, then published, and leaves the store", arguments: ProtocolVersion.allCases)
        func receipt(version: ProtocolVersion) async throws {
            let mayAnswer = Locked(false)
            let broker = try FakeBroker { peer in
                try peer.serve { packet in packet.type == .publish && !mayAnswer.withLock { $0 } ? [] : nil }
            }
            let store = MemoryStore()
            let station = try Station([try .quick(broker.url, version)], routes: routes, store: store)
            try await withRunning(station) {
                let receipt = station.bus.tracked.emit("o.a", "1")
                try await withTimeLimit(.seconds(30)) { try await receipt.stored() }
                try await until { published(broker).count == 1 }
                #expect(receipt.summary.published == 0)
                #expect(try store.waiting() == ["1"])
                mayAnswer.withLock { $0 = true }
                try #require(broker.peers.first).send(.puback(packetID: try #require(published(broker)[0].packetID)))
                try await withTimeLimit(.seconds(30)) { try await receipt.published() }
                try await until { try store.count(.outbound) == 0 }
            }
            #expect(broker.errors.isEmpty)
        }

        @Test("nothing is published before the broker accepts us, also of what an earlier process has left")
        func beforeConnack() async throws {
            let mayAccept = Locked(false)
            let broker = try FakeBroker { peer in
                _ = try peer.expectConnect()
                while !mayAccept.withLock({ $0 }) {
                    if try peer.bytesAvailable(within: .milliseconds(10)) { throw FaultKitError("too early") }
                }
                try peer.send(.connack())
                try peer.serve()
            }
            let store = MemoryStore()
            let first = try Station([try .quick("mqtt://127.0.0.1:1")], routes: routes, store: store)
            let ids = try await (0..<5).asyncMap { number in
                let receipt = first.bus.tracked.emit("o.a", Payload("\(number)"))
                try await withTimeLimit(.seconds(30)) { try await receipt.stored() }
                return receipt.id
            }
            let second = try Station([try .quick(broker.url)], routes: routes, store: store)
            try await withRunning(second, ready: false) {
                second.bus.emit("o.a", "5")
                try await until { try store.count(.outbound) == 6 && broker.connections == 1 }
                mayAccept.withLock { $0 = true }
                try await until { published(broker).count == 6 }
                try await until { try store.count(.outbound) == 0 }
            }
            #expect(published(broker).map(\.text) == (0..<6).map(String.init))
            #expect(published(broker).prefix(5).map { $0.user(PropertyName.id) } == ids.map(\.wireText))
            #expect(broker.errors.isEmpty)
        }

        @Test("while the broker is away emits are stored; when it is back each comes once, in order, at the rate")
        func away() async throws {
            let broker = try MosquittoBroker.start()
            broker.stop()
            let store = MemoryStore()
            var away = try Broker.quick(broker.url)
            away.drainRate = 400
            let station = try Station([away], routes: routes, store: store)
            try await withRunning(station, ready: false) {
                for number in 0..<400 { station.bus.emit(EventName(spelled: "o.\(number % 4)"), Payload("\(number)")) }
                try await until { try store.count(.outbound) == 400 }
                try await station.tells("stored")
                try broker.restart()
                try await withPlainClient(broker.url) { plain in
                    let bridge = station.bridge
                    try await withTimeLimit(.seconds(30)) { try await bridge.becomeReady() }
                    // What is new on another topic does not wait for them.
                    let start = ContinuousClock.now
                    let live = station.bus.tracked.emit("o.live", "live")
                    try await withTimeLimit(.seconds(30)) { try await live.published() }
                    #expect(try store.count(.outbound) > 0)
                    try await until { try store.count(.outbound) == 0 }
                    #expect(start.duration(to: .now) > .milliseconds(600))
                    try await settled { plain.count }
                    // The plain client may come after the first: what it sees is in order and without doubles.
                    for topic in 0..<4 {
                        let numbers = plain.messages.filter { $0.topic == "o/\(topic)" }
                            .compactMap { Int(String(decoding: $0.payload, as: UTF8.self)) }
                        #expect(zip(numbers, numbers.dropFirst()).allSatisfy { $0 + 4 == $1 })
                        #expect(numbers.last == 396 + topic)
                    }
                }
            }
            #expect(station.droppedNothing)
        }

        @Test("a message has the same identity in each copy that is sent")
        func sameIdentity() async throws {
            let broker = try FakeBroker { peer in
                guard peer.index == 0 else { return try peer.serve() }
                try peer.accept()
                let subscribe = try peer.expectSubscribe()
                try peer.send(.suback(packetID: subscribe.packetID, reasons: [1]))
                try peer.expectPublish()
            }
            let routes = routes + [Route("x", "x", direction: .in)]
            let station = try Station([try .quick(broker.url)], routes: routes, store: MemoryStore())
            try await withRunning(station) {
                let receipt = station.bus.tracked.emit("o.a", "1")
                try await withTimeLimit(.seconds(30)) { try await receipt.published() }
                let copies = published(broker)
                #expect(copies.count == 2)
                #expect(copies.allSatisfy { $0.user(PropertyName.id) == receipt.id.wireText })
            }
        }

        @Test(
            "F24: a refusal that depends on the message is a dead letter, and no other message waits",
            arguments: [0x87, 0x90, 0x99]
        )
        func refused(reason: UInt8) async throws {
            let refuses = Locked(true)
            let broker = try FakeBroker { peer in
                try peer.serve { packet in
                    guard packet.type == .publish, refuses.withLock({ $0 }) else { return nil }
                    let publish = try packet.publish()
                    guard publish.text == "bad" else { return nil }
                    return [.puback(packetID: publish.packetID ?? 0, reason: reason)]
                }
            }
            let store = MemoryStore()
            let station = try Station([try .quick(broker.url)], routes: routes, store: store)
            try await withRunning(station) {
                let bad = station.bus.tracked.emit("o.a", "bad")
                let good = station.bus.tracked.emit("o.a", "good")
                try await withTimeLimit(.seconds(30)) { try await good.published() }
                await #expect(throws: ClientError.self) {
                    try await withTimeLimit(.seconds(30)) { try await bad.published() }
                }
                try await withTimeLimit(.seconds(30)) { try await bad.stored() }
                #expect(bad.summary.published == 0)
                try await until { try store.count(.outbound) == 0 && store.letters.count == 1 }
                let letter = try #require(try store.letters.first)
                #expect((letter.direction, letter.topic, letter.attempts) == (.outbound, "o/a", 1))
                #expect(letter.payload == Array("bad".utf8))
                #expect(try await station.tells("deadletter")["topic"] == "o/a")
                #expect(station.reports("refused").isEmpty, "a dead letter is told once")
                refuses.withLock { $0 = false }
                _ = try store.requestReplay(of: .all)
                try await until { try store.letters.isEmpty && published(broker).count == 3 }
                #expect(Set(published(broker).filter { $0.text == "bad" }.map { $0.user(PropertyName.id) }).count == 1)
            }
        }

        @Test(
            "F24: a refusal that depends on the broker is tried again; its topic waits, others do not",
            arguments: [0x80, 0x97]
        )
        func busy(reason: UInt8) async throws {
            let (attempts, accepts) = (Locked(0), Locked(false))
            let broker = try FakeBroker { peer in
                try peer.serve { packet in
                    guard packet.type == .publish else { return nil }
                    let publish = try packet.publish()
                    guard publish.text == "0" else { return nil }
                    attempts.withLock { $0 += 1 }
                    return [.puback(packetID: publish.packetID ?? 0, reason: accepts.withLock { $0 } ? 0 : reason)]
                }
            }
            let store = MemoryStore()
            let station = try Station([try .quick(broker.url)], routes: routes, store: store)
            try await withRunning(station) {
                let first = station.bus.tracked.emit("o.a", "0")
                // When it is tried again its refusal has come, and from then on the topic waits.
                try await until { attempts.withLock { $0 } == 2 }
                for number in 1...5 { station.bus.emit("o.a", Payload("\(number)")) }
                let other = station.bus.tracked.emit("o.b", "other")
                try await withTimeLimit(.seconds(30)) { try await other.published() }
                #expect(first.summary.published == 0)
                accepts.withLock { $0 = true }
                try await withTimeLimit(.seconds(30)) { try await first.published() }
                try await until { try store.count(.outbound) == 0 }
            }
            let tries = attempts.withLock { $0 }
            #expect(
                published(broker).filter { $0.topic == "o/a" }.map(\.text)
                    == Array(repeating: "0", count: tries) + ["1", "2", "3", "4", "5"]
            )
            #expect(try store.letters.isEmpty)
            #expect(station.reports("deadletter").isEmpty)
        }

        @Test("what expires in the store is not published, by the route's time and by the message's own")
        func expiry() async throws {
            let broker = try MosquittoBroker.start()
            broker.stop()
            let store = MemoryStore()
            var routes = routes
            routes[0].timeToLive = .milliseconds(100)
            routes.append(Route("u/{n}", "u.{n}", direction: .out))
            let station = try Station([try .quick(broker.url)], routes: routes, store: store)
            try await withRunning(station, ready: false) {
                station.bus.emit("o.a", "late")
                station.bus.emit("u.a", "late", attributes: EventAttributes(timeToLive: .milliseconds(100)))
                station.bus.emit("u.a", "good", attributes: EventAttributes(timeToLive: .seconds(100)))
                let now = ContinuousClock.now
                try await until { .now - now > .milliseconds(150) }
                try broker.restart()
                try await withPlainClient(broker.url) { plain in
                    let bridge = station.bridge
                    try await withTimeLimit(.seconds(30)) { try await bridge.becomeReady() }
                    let last = station.bus.tracked.emit("u.b", "last")
                    try await withTimeLimit(.seconds(30)) { try await last.published() }
                    try await until { try store.count(.outbound) == 0 }
                    try await settled { plain.count }
                    #expect(!plain.texts.contains("late"))
                }
                #expect(try await station.tells("dropped")["reason"] == "expired")
            }
        }
    }
}

extension FakeBroker.PublishPacket {
    /// The value of a user property.
    func user(_ name: String) -> String? {
        for case .userProperty(name, let value) in properties { return value }
        return nil
    }
}

extension Sequence {
    /// As `map`, one after the other.
    fileprivate func asyncMap<Value>(_ transform: (Element) async throws -> Value) async rethrows -> [Value] {
        var values: [Value] = []
        for element in self { values.append(try await transform(element)) }
        return values
    }
}
