import BufferedIO
import Mosquitto
import TestSupport
import Testing

/// Counted on the client's own thread, so that nothing else in the process counts.
@Suite("system calls", .serialized)
struct SystemCallTests {
    private static let count = 10_000

    /// Without buffers the library reads three times for a message, and writes one byte for each answer of ours, in
    /// addition to the answer: then these show that the system counts. The answer itself 2.1 sends by `send`, which is not
    /// counted.
    @Test("10,000 messages that are there cost 500 reads at most", arguments: [QoS.atMostOnce, .atLeastOnce])
    func inbound(qos: QoS) async throws {
        let broker = try FakeBroker { peer in
            try peer.accept()
            let subscribe = try peer.expectSubscribe()
            try peer.send(.suback(packetID: subscribe.packetID, reasons: [qos.rawValue]))
            let bytes = (0..<Self.count).flatMap { number in
                let payload = Message.numbered(number, qos: qos).payload
                let packetID = UInt16(number % 60_000 + 1)
                return FakeBroker.ServerPacket.publish(
                    topic: "a",
                    payload: payload,
                    qos: qos.rawValue,
                    packetID: packetID
                )
                .encode(.v5)
            }
            try peer.sendRaw(bytes)
            try peer.serve()
        }
        let subscriptions = [SubscriptionRequest("a", qos: qos)]
        let start = ThreadGate()
        defer { start.open() }
        let calls = try await withClient(
            to: broker.port,
            subscriptions: subscriptions,
            listener: Listener(onConnected: { start.wait() })
        ) { _, listener in
            try await listener.connected()
            let before = try listener.systemCalls
            start.open()
            try await listener.wait(for: "all messages") { $0.count == Self.count }
            if qos == .atLeastOnce {
                let isAnswered = try await eventually(within: .seconds(30)) { broker.count(.puback) == Self.count }
                #expect(isAnswered)
            }
            #expect(listener.numbers == Array(0..<Self.count))
            return try listener.systemCalls - before
        }
        print("in, \(qos): \(calls) for \(Self.count) messages")
        if BufferedIO.enable() == .on {
            #expect(calls.reads <= Self.count / 20)
            #expect(calls.writes <= Self.count / 20)
        } else {
            #expect(calls.reads >= Self.count * 3 - 100)
            #expect(calls.writes >= (qos == .atLeastOnce ? Self.count : 0))
        }
    }

    /// The proxy has passed all on before the client reads the first message: the broker, which writes each one by
    /// itself, sets no pace.
    @Test(
        "what a real broker has collected in a session costs less than a read for each message",
        .needsMosquitto,
        arguments: [QoS.atMostOnce, .atLeastOnce]
    )
    func session(qos: QoS) async throws {
        let lines = ["max_queued_messages 0", "max_inflight_messages 0", "queue_qos0_messages true"]
        let broker = try MosquittoBroker.start(configuration: lines.joined(separator: "\n"))
        let options = ClientOptions.quick { options in
            options.session.expiry = .seconds(60)
            options.limits.receiveMaximum = .max
        }
        let subscriptions = [SubscriptionRequest("a", qos: qos)]
        try await withClient(to: broker.port, options: options, subscriptions: subscriptions) { _, listener in
            try await listener.subscribed()
        }
        try await withClient(to: broker.port) { client, _ in
            for number in 1..<Self.count { try client.enqueue(.numbered(number, qos: qos)) }
            try await client.publish(.numbered(Self.count, qos: .atLeastOnce))
        }
        let proxy = try TCPProxy(to: broker.port)
        let start = ThreadGate()
        defer { start.open() }
        let listener = Listener(onConnected: { start.wait() })
        let calls = try await withClient(
            to: proxy.port,
            options: options,
            subscriptions: subscriptions,
            listener: listener
        ) { _, listener in
            try await listener.connected()
            let size = Self.count * Message.numbered(Self.count, qos: qos).payload.count
            let hasPassed = try await eventually(within: .seconds(30)) { proxy.bytes(.toClient) >= size }
            #expect(hasPassed)
            let before = try listener.systemCalls
            start.open()
            try await listener.wait(for: "all messages") { $0.count == Self.count }
            #expect(listener.numbers == Array(1...Self.count))
            return try listener.systemCalls - before
        }
        print("from a session, \(qos): \(calls) for \(Self.count) messages")
        if BufferedIO.enable() == .on {
            #expect(calls.reads < Self.count / 2)
            #expect(calls.writes < Self.count / 2)
        } else {
            #expect(calls.reads >= Self.count * 3 - 100)
        }
    }

    /// What is sent is not counted; that it takes few calls is WritingTests' to say. Here the library's own writes are
    /// seen to be gone, and what it takes to read the answers.
    @Test(
        "10,000 publishes cost 500 writes at most, and the answers few reads",
        arguments: [QoS.atMostOnce, .atLeastOnce]
    )
    func outbound(qos: QoS) async throws {
        let broker = try FakeBroker { peer in
            var answers: [UInt8] = []
            try peer.serve { packet in
                guard packet.type == .publish, let packetID = packet.packetID else { return nil }
                answers += FakeBroker.ServerPacket.puback(packetID: packetID).encode(.v5)
                // Half of the window at a time.
                guard answers.count >= 50 * 4 else { return [] }
                defer { answers = [] }
                return [.raw(answers)]
            }
        }
        let start = ThreadGate()
        defer { start.open() }
        let listener = Listener(onConnected: { start.wait() })
        let calls = try await withClient(to: broker.port, listener: listener) { client, listener in
            try await listener.connected()
            let done = Locked(0)
            for number in 0..<Self.count {
                try client.enqueue(.numbered(number, qos: qos)) { _ in done.withLock { $0 += 1 } }
            }
            let before = try listener.systemCalls
            start.open()
            try await listener.wait(for: "all are done") { _ in done.withLock { $0 } == Self.count }
            return try listener.systemCalls - before
        }
        print("out, \(qos): \(calls) for \(Self.count) messages")
        let hasCome = try await eventually(within: .seconds(30)) { broker.count(.publish) == Self.count }
        #expect(hasCome)
        #expect(broker.errors.isEmpty, "\(broker.errors)")
        if BufferedIO.enable() == .on {
            #expect(calls.writes <= Self.count / 20)
            #expect(calls.reads <= Self.count / 5)
        } else {
            #expect(calls.writes >= Self.count)
            #expect(calls.reads >= (qos == .atLeastOnce ? Self.count * 3 : 0))
        }
    }
}

extension FakeBroker {
    /// How many packets of that type came, over all connections.
    func count(_ type: PacketType) -> Int { peers.reduce(0) { $0 + $1.recorded.count { $0.type == type } } }

    /// All PUBLISH packets over all connections, in order.
    var published: [PublishPacket] {
        peers.flatMap(\.recorded).compactMap { $0.type == .publish ? try? $0.publish() : nil }
    }
}
