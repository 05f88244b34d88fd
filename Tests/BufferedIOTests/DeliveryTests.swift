import BufferedIO
import Mosquitto
import TestSupport
import Testing

@Suite("what clients send and receive through buffers", .serialized)
struct DeliveryTests {
    @Test("a payload of 16 MiB comes back as it went out", .needsMosquitto, arguments: ProtocolVersion.allCases)
    func large(version: ProtocolVersion) async throws {
        let broker = try MosquittoBroker.start()
        var random = SplitMix64(seed: 16)
        let payload = random.bytes(16 * 1_024 * 1_024)
        let options = ClientOptions.quick(version) { $0.limits.maximumPacketSize = 20 * 1_024 * 1_024 }
        try await withClient(to: broker.port, options: options, subscriptions: [SubscriptionRequest("#")]) {
            client,
            listener in
            try await listener.subscribed()
            // Small ones around it: none may overtake.
            try client.enqueue(.numbered(1, topic: "before", qos: .atLeastOnce))
            try client.enqueue(Message(topic: "large", payload: payload, qos: .atLeastOnce))
            try client.enqueue(.numbered(2, topic: "behind", qos: .atLeastOnce))
            try await listener.wait(for: "all messages") { $0.count == 3 }
            #expect(listener.messages.map(\.topic) == ["before", "large", "behind"])
            #expect(isSame(listener.messages[1].payload, payload))
            #expect(listener.connections == 1)
        }
    }

    /// Four times: one more in a row would be taken for a fight over the client identifier.
    @Test(
        "connections that are cut at any byte lose nothing at QoS 1",
        .needsMosquitto,
        arguments: ProtocolVersion.allCases,
        Seed.fresh(2)
    )
    func cuts(version: ProtocolVersion, seed: Seed) async throws {
        let count = 2_000
        let broker = try MosquittoBroker.start(configuration: "max_queued_messages 0")
        let proxy = try TCPProxy(to: broker.port)
        var random = seed.random
        let plan = (1...4).map { _ in (random.below(60_000), random.chance(1, in: 2), random.chance(1, in: 2)) }
        let cuts = Locked(plan[...])
        // Before the connection's first message: so that each but the last is cut among its first 60,000 bytes.
        let listener = Listener(onConnected: {
            guard let (position, isToServer, isReset) = cuts.withLock({ $0.popFirst() }) else { return }
            proxy.cut(after: position, isToServer ? .toServer : .toClient, reset: isReset)
        })
        let options = ClientOptions.quick(version) { $0.session.expiry = .seconds(60) }
        try await withClient(
            to: proxy.port,
            options: options,
            subscriptions: [SubscriptionRequest("a")],
            listener: listener
        ) { client, listener in
            try await listener.subscribed()
            let refused = Locked(0)
            let done = Locked(0)
            for number in 0..<count {
                let padding = random.chance(1, in: 100) ? 80_000 : random.below(300)
                try client.enqueue(.numbered(number, qos: .atLeastOnce, padding: padding)) { result in
                    if case .failure = result { refused.withLock { $0 += 1 } }
                    done.withLock { $0 += 1 }
                }
            }
            try await listener.wait(for: "all published; \(seed)") { _ in done.withLock { $0 } == count }
            #expect(refused.withLock { $0 } == 0, "\(seed)")
            try await listener.wait(for: "all received; \(seed)") { Set($0.numbers).count == count }
            #expect(listener.numbers.allSatisfy { (0..<count).contains($0) }, "\(seed)")
            #expect(listener.connections == 5, "\(seed)")
        }
    }

    @Test("two clients at two brokers get each their own", .needsMosquitto)
    func two() async throws {
        try await withThrowingTaskGroup { group in
            for (version, first) in zip(ProtocolVersion.allCases, [0, 100_000]) {
                group.addTask {
                    let broker = try MosquittoBroker.start()
                    let subscriptions = [SubscriptionRequest("a", qos: .atLeastOnce)]
                    try await withClient(
                        to: broker.port,
                        options: .quick(version),
                        subscriptions: subscriptions
                    ) { client, listener in
                        try await listener.subscribed()
                        for number in first..<first + 5_000 { try client.enqueue(.numbered(number, qos: .atLeastOnce)) }
                        try await listener.wait(for: "all messages") { $0.count >= 5_000 }
                        #expect(listener.numbers == Array(first..<first + 5_000))
                    }
                }
            }
            try await group.waitForAll()
        }
    }

    /// Of 70,000 bytes each: more than a buffer holds.
    @Test(
        "publishes back up before a broker that does not read, and all go out once when it does",
        arguments: [(QoS.atMostOnce, 3_000, 4_000), (.atLeastOnce, 300, 70_000)]
    )
    func backedUp(qos: QoS, count: Int, padding: Int) async throws {
        let reading = ThreadGate()
        let broker = try FakeBroker(timeLimit: .seconds(20)) { peer in
            try peer.accept()
            reading.wait()
            try peer.serve()
        }
        defer { reading.open() }
        try await withClient(to: broker.port) { client, listener in
            try await listener.connected()
            let done = Locked(0)
            for number in 0..<count {
                try client.enqueue(.numbered(number, qos: qos, padding: padding)) { _ in done.withLock { $0 += 1 } }
            }
            let isAllDone = try await eventually(within: .milliseconds(500)) { done.withLock { $0 } == count }
            #expect(!isAllDone)
            reading.open()
            try await listener.wait(for: "all are done") { _ in done.withLock { $0 } == count }
            try await listener.wait(for: "all are there") { _ in broker.count(.publish) >= count }
            #expect(listener.connections == 1)
        }
        #expect(broker.published.map(\.payload).map { Message(topic: "", payload: $0).number } == Array(0..<count))
        #expect(broker.errors.isEmpty, "\(broker.errors)")
    }

    /// With 3.1.1, where nothing limits what a broker sends at QoS 2: each PUBREC has 4 bytes, so these fill more than a
    /// buffer, and the PUBACK stands behind them.
    @Test("behind more than 64 KiB of answers an acknowledgement still waits until the delegate has returned")
    func barrier() async throws {
        let count = 20_000
        let early = Locked<[FakeBroker.PacketType]>([])
        let inside = ThreadGate()
        let release = ThreadGate()
        let sent = ThreadGate()
        let broker = try FakeBroker(timeLimit: .seconds(20)) { peer in
            try peer.accept()
            let bytes = (1...count).flatMap { number in
                FakeBroker.ServerPacket.publish(topic: "a", qos: 2, packetID: UInt16(number)).encode(.v311)
            }
            try peer.sendRaw(
                bytes + FakeBroker.ServerPacket.publish(topic: "b", qos: 1, packetID: 60_000).encode(.v311)
            )
            sent.open()
            inside.wait()
            // The delegate is inside: what comes now, comes too early.
            while try peer.bytesAvailable(within: .milliseconds(300)), let packet = try peer.read() {
                early.withLock { $0.append(packet.type) }
            }
            release.open()
            try peer.serve { packet in packet.type == .pubrec ? [] : nil }
        }
        defer { release.open() }
        // Not a byte is read before all is there.
        let listener = Listener(
            onConnected: { sent.wait() },
            onMessages: { _ in
                inside.open()
                release.wait()
            }
        )
        try await withClient(to: broker.port, options: .quick(.v3_1_1), listener: listener) { _, listener in
            try await listener.wait(for: "the message at QoS 1") { $0.messages.map(\.topic) == ["b"] }
            try await listener.wait(for: "all acknowledgements") { _ in
                broker.count(.pubrec) == count && broker.count(.puback) == 1
            }
        }
        // PUBREC, which promises nothing yet, leaves at the end of a turn.
        #expect(!early.withLock { $0.contains(.puback) })
        #expect(broker.errors.isEmpty, "\(broker.errors)")
        let answers = broker.peers.flatMap(\.recorded).compactMap { packet in
            packet.type == .pubrec || packet.type == .puback ? packet.packetID.map(Int.init) : nil
        }
        #expect(answers == Array(1...count) + [60_000])
    }
}
