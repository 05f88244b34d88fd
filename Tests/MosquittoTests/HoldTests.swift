import Dispatch
import TestSupport
import Testing

@testable import Mosquitto

@Suite("a short hold", .serialized)
struct HoldTests {
    private static func publish(_ number: Int, padding: Int = 0) -> FakeBroker.ServerPacket {
        let payload = Array("\(number)".utf8) + [UInt8](repeating: UInt8(ascii: " "), count: padding)
        return .publish(topic: "a", payload: payload, qos: 1, packetID: UInt16(number + 1))
    }

    @Test(
        "acknowledgements of before still leave, nothing more is handed over, and on resuming all goes on",
        arguments: ProtocolVersion.allCases
    )
    func acknowledgements(version: ProtocolVersion) async throws {
        let release = DispatchSemaphore(value: 0)
        let inside = Locked(false)
        let recorder = Recorder { messages in
            guard messages.contains(where: { $0.number == 0 }) else { return }
            inside.withLock { $0 = true }
            release.wait()
        }
        let broker = try FakeBroker { peer in
            try peer.accept()
            try peer.send(Self.publish(0))
            try peer.serve()
        }
        defer { release.signal() }
        try await withClient(to: broker.url, options: .quick(version), recorder: recorder) { client, recorder in
            #expect(try await eventually { inside.withLock { $0 } })
            client.hold()
            release.signal()
            #expect(try await eventually { broker.count(.puback) == 1 })
            for number in 1...20 { try broker.peers[0].send(Self.publish(number)) }
            #expect(try await !eventually(within: .milliseconds(300)) { recorder.messages.count > 1 })
            #expect(broker.count(.puback) == 1)
            client.resume()
            #expect(try await recorder.received(21).map(\.number) == Array(0...20))
            #expect(try await eventually { broker.count(.puback) == 21 })
            #expect(recorder.parks.isEmpty)
            #expect(recorder.resumptions == 0)
        }
        #expect(broker.connections == 1)
    }

    @Test("the broker feels it: it cannot go on sending, and loses nothing by it")
    func backPressure() async throws {
        let sent = Locked(0)
        let count = 48
        let broker = try FakeBroker(timeLimit: .seconds(20)) { peer in
            try peer.accept()
            try peer.expect(.publish)
            for number in 0..<count {
                try peer.send(Self.publish(number, padding: 1_000_000))
                sent.withLock { $0 += 1 }
            }
            try peer.serve()
        }
        try await withClient(to: broker.url) { client, recorder in
            try await recorder.connected()
            client.hold()
            try client.enqueue(Message(topic: "start"))
            #expect(try await eventually { sent.withLock { $0 } > 0 })
            #expect(try await !eventually(within: .milliseconds(500)) { sent.withLock { $0 } == count })
            #expect(recorder.messages.isEmpty)
            client.resume()
            #expect(try await recorder.received(count).map(\.number) == Array(0..<count))
            #expect(recorder.messages.allSatisfy { $0.payload.count > 1_000_000 })
        }
        #expect(broker.connections == 1)
        #expect(broker.errors.isEmpty, "\(broker.errors)")
    }

    @Test("our own messages go on to leave, and are acknowledged on resuming")
    func publishing() async throws {
        let broker = try FakeBroker { peer in
            try peer.accept()
            try peer.serve()
        }
        try await withClient(to: broker.url) { client, recorder in
            try await recorder.connected()
            client.hold()
            let acknowledged = Locked(0)
            for number in 0..<10 {
                try client.enqueue(Message(topic: "a", payload: Array("\(number)".utf8), qos: .atLeastOnce)) { _ in
                    acknowledged.withLock { $0 += 1 }
                }
            }
            #expect(try await eventually { broker.published.count == 10 })
            #expect(try await !eventually(within: .milliseconds(200)) { acknowledged.withLock { $0 } > 0 })
            client.resume()
            #expect(try await eventually { acknowledged.withLock { $0 } == 10 })
        }
        #expect(broker.published.map(\.text) == (0..<10).map(String.init))
        #expect(broker.connections == 1)
    }

    @Test("resuming where nothing is held is harmless, and many holds are one")
    func harmless() async throws {
        let broker = try FakeBroker { peer in
            try peer.accept()
            try peer.serve()
        }
        try await withClient(to: broker.url) { client, recorder in
            client.resume()
            try await recorder.connected()
            client.resume()
            for _ in 0..<10 { client.hold() }
            client.resume()
            try broker.peers[0].send(Self.publish(0))
            try await recorder.received(1)
            #expect(recorder.resumptions == 0)
        }
        #expect(broker.connections == 1)
    }

    @Test("a client that is held ends at once, with DISCONNECT, though messages wait for acknowledgements")
    func end() async throws {
        let broker = try FakeBroker { peer in
            try peer.accept()
            try peer.serve { $0.type == .publish ? [] : nil }
        }
        let options = ClientOptions.quick().with { $0.timeouts.drain = .seconds(60) }
        let recorder = Recorder()
        let start = Locked(ContinuousClock.now)
        try await withClient(to: broker.url, options: options, recorder: recorder) { client, recorder in
            try await recorder.connected()
            client.hold()
            try client.enqueue(Message(topic: "a", qos: .atLeastOnce))
            #expect(try await eventually { broker.published.count == 1 })
            start.withLock { $0 = .now }
        }
        #expect(start.withLock { $0 }.duration(to: .now) < .seconds(5).stretched)
        #expect(broker.count(.disconnect) == 1)
        #expect(recorder.disconnections == [nil])
    }

    @Test("a peer that hangs up is noticed, and the next connection waits for the end of the hold")
    func hangUp() async throws {
        let broker = try FakeBroker { peer in
            try peer.accept()
            guard peer.index == 0 else { return try peer.serve() }
            try peer.expect(.publish)
            // Unread, before the end: it is the end that must be noticed.
            try peer.send(Self.publish(0))
            peer.close()
        }
        try await withClient(to: broker.url) { client, recorder in
            try await recorder.connected()
            client.hold()
            try client.enqueue(Message(topic: "now"))
            try await recorder.parked(within: .seconds(4))
            #expect(recorder.disconnections.map { $0?.code } == [.connectionLost])
            #expect(recorder.parks == [.held])
            #expect(recorder.messages.isEmpty)
            #expect(try await !eventually(within: .milliseconds(200)) { broker.connections > 1 })
            client.resume()
            try await recorder.connected(2)
        }
    }
}
