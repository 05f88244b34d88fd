import Foundation
import TestSupport
import Testing

@testable import Mosquitto

@Suite("a broker that does not behave", .serialized)
struct BrokenPeerTests {
    // MARK: The instrument

    @Test("a peer whose connection is closed writes nothing: its descriptor may be somebody else's")
    func writingAfterTheEnd() async throws {
        let broker = try FakeBroker { try $0.accept() }
        try await withClient(to: broker.url) { _, recorder in
            try await recorder.connected()
            try await broker.finished()
            let error = #expect(throws: FaultKitError.self) { try broker.peers[0].send(.puback(packetID: 1)) }
            #expect(error?.description == "write to a socket: it is closed")
        }
    }

    // MARK: Poison (F12)

    static let poisons: [[UInt8]] = [
        Array("a/\0/b".utf8), Array("a/\u{1}".utf8), [0x61, 0xFF, 0x62], [0xED, 0xA0, 0x80], [0xC0, 0x80],
        Array("a/".utf8) + [0xEF, 0xBF, 0xBF], Array("\u{9F}".utf8),
    ]

    @Test(
        "a topic that is no text is noticed, backs off, and the session is kept",
        arguments: poisons,
        ProtocolVersion.allCases
    )
    func poison(topic: [UInt8], version: ProtocolVersion) async throws {
        let broker = try FakeBroker { peer in
            try peer.accept(sessionPresent: peer.index > 0)
            try peer.send(.publish(topicBytes: topic, qos: 1, packetID: 7))
            try peer.serve()
        }
        let options = ClientOptions.quick(version).with { options in
            options.session.expiry = .seconds(600)
            options.reconnect.backoff.afterIllegalTopic = .milliseconds(400)
        }
        try await withClient(to: broker.url, options: options) { _, recorder in
            try await recorder.wait(for: "three connections") { $0.connections.count >= 3 }
            let times = recorder.connectionTimes
            #expect(times[1].duration(to: times[2]) >= .milliseconds(400))
            #expect(recorder.disconnections.allSatisfy { $0?.code == .illegalTopic })
            #expect(recorder.retries[0].error.description.contains("Find who publishes it"))
            #expect(recorder.messages.isEmpty)
        }
        // The last connection may have ended before it said anything.
        let connects = broker.peers.compactMap(\.recorded.first)
        #expect(try connects.count >= 3 && connects.allSatisfy { try !$0.connect().cleanStart })
    }

    @Test("with the usual pauses a topic that is no text costs two connections, not a storm")
    func poisonPace() async throws {
        let broker = try FakeBroker { peer in
            try peer.accept(sessionPresent: peer.index > 0)
            try peer.send(.publish(topicBytes: [0], qos: 1, packetID: 7))
            try peer.serve()
        }
        let options = ClientOptions(clientID: "poisoned").with { $0.session.expiry = .seconds(600) }
        try await withClient(to: broker.url, options: options) { _, recorder in
            try await recorder.wait(for: "two pauses") { $0.retries.count >= 2 }
            #expect(recorder.retries[1].pause >= .seconds(10))
            #expect(broker.connections == 2)
        }
    }

    @Test(
        "what waits before a poisoned message in the session is acknowledged all the same",
        arguments: ProtocolVersion.allCases
    )
    func beforePoison(version: ProtocolVersion) async throws {
        let acknowledged = Locked<Set<UInt16>>([])
        let broker = try FakeBroker { peer in
            try peer.accept(sessionPresent: peer.index > 0)
            let done = acknowledged.withLock { $0 }
            let waiting = (1...5).filter { !done.contains(UInt16($0)) }
            try peer.sendRaw(
                waiting.flatMap { number in
                    FakeBroker.ServerPacket.publish(
                        topic: "n",
                        payload: Array("\(number)".utf8),
                        qos: 1,
                        packetID: UInt16(number)
                    )
                    .encode(peer.version)
                } + FakeBroker.ServerPacket.publish(topicBytes: [0xFF], qos: 1, packetID: 6).encode(peer.version)
            )
            try peer.serve { packet in
                if packet.type == .puback, let packetID = packet.packetID {
                    acknowledged.withLock { _ = $0.insert(packetID) }
                }
                return nil
            }
        }
        let options = ClientOptions.quick(version).with { options in
            options.session.expiry = .seconds(600)
            options.reconnect.backoff.afterIllegalTopic = .milliseconds(50)
        }
        try await withClient(to: broker.url, options: options) { _, recorder in
            try await recorder.wait(for: "five acknowledgements") { _ in
                acknowledged.withLock { $0 } == [1, 2, 3, 4, 5]
            }
            #expect(Set(recorder.messages.map(\.number)) == [1, 2, 3, 4, 5])
        }
    }

    // MARK: Strange but legal

    @Test("$ and odd characters in a received topic are text", arguments: ProtocolVersion.allCases)
    func oddTopics(version: ProtocolVersion) async throws {
        let topics = [
            "$SYS/x", "$share/g/a", "/", "//", " ", "..", "../../etc/passwd", "%2F",
            "a\u{FEFF}",
            String(repeating: "x", count: 65_535),
        ]
        let broker = try FakeBroker { peer in
            try peer.accept()
            for (number, topic) in topics.enumerated() {
                try peer.send(.publish(topic: topic, qos: 1, packetID: UInt16(number + 1)))
            }
            try peer.serve()
        }
        try await withClient(to: broker.url, options: .quick(version)) { _, recorder in
            #expect(try await recorder.received(topics.count).map(\.topic) == topics)
            try await recorder.wait(for: "all acknowledged") { _ in broker.count(.puback) == topics.count }
            #expect(recorder.connections.count == 1)
        }
    }

    @Test("the largest and the strangest properties arrive")
    func properties() async throws {
        let long = String(repeating: "y", count: 65_535)
        let pairs = (0..<1_000).map { FakeBroker.Property.userProperty("name \($0 % 7)", "value \($0)") }
        let broker = try FakeBroker { peer in
            try peer.accept()
            try peer.send(
                .publish(
                    topic: "a",
                    properties: pairs + [
                        .userProperty(long, long), .contentType(long), .responseTopic("$/ //"),
                        .correlationData([UInt8](repeating: 0xFF, count: 65_535)), .messageExpiry(.max),
                        .payloadFormat(1), .subscriptionIdentifier(268_435_455),
                    ]
                )
            )
            try peer.send(.publish(topic: "b", properties: [.correlationData([]), .contentType("")]))
            try peer.serve()
        }
        try await withClient(to: broker.url) { _, recorder in
            let messages = try await recorder.received(2)
            let properties = messages[0].properties
            #expect(properties.userProperties.count == 1_001)
            #expect(properties.userProperties[999] == .init("name \(999 % 7)", "value 999"))
            #expect(properties.userProperties[1_000] == .init(long, long))
            #expect(properties.contentType == long)
            #expect(properties.responseTopic == "$/ //")
            #expect(properties.correlationData?.count == 65_535)
            #expect(properties.expiry == .seconds(4_294_967_295))
            #expect(properties.isText)
            #expect(properties.subscriptionIdentifiers == [268_435_455])
            #expect(messages[1].properties.correlationData == [])
            // libmosquitto 2.1 does not tell an empty text from none.
            #expect((messages[1].properties.contentType ?? "").isEmpty)
        }
    }

    @Test(
        "messages that arrive before SUBACK, and before anything was subscribed, are delivered",
        arguments: ProtocolVersion.allCases
    )
    func beforeSuback(version: ProtocolVersion) async throws {
        let broker = try FakeBroker { peer in
            try peer.expectConnect()
            let early = FakeBroker.ServerPacket.publish(topic: "early", qos: 1, packetID: 1)
            try peer.sendRaw(
                FakeBroker.ServerPacket.connack(sessionPresent: true).encode(peer.version) + early.encode(peer.version)
            )
            let subscribe = try peer.expectSubscribe()
            try peer.send(.publish(topic: "late", qos: 1, packetID: 2))
            try peer.send(.suback(packetID: subscribe.packetID, reasons: [1]))
            try peer.serve()
        }
        try await withClient(
            to: broker.url,
            // Of a session, or the broker could not have it.
            options: .quick(version).with { $0.session.expiry = .seconds(600) },
            subscriptions: [SubscriptionRequest("#")]
        ) { _, recorder in
            #expect(try await recorder.received(2).map(\.topic) == ["early", "late"])
            try await recorder.subscribed()
        }
    }

    @Test(
        "acknowledgements of nothing and answers to nothing change nothing",
        arguments: ProtocolVersion.allCases
    )
    func unknownAnswers(version: ProtocolVersion) async throws {
        let broker = try FakeBroker { peer in
            try peer.accept()
            for packetID: UInt16 in [1, 77, 65_535] {
                try peer.send(.puback(packetID: packetID))
                try peer.send(.pubcomp(packetID: packetID))
                try peer.send(.suback(packetID: packetID, reasons: [0]))
                try peer.send(.unsuback(packetID: packetID))
                try peer.send(.pubrel(packetID: packetID))
            }
            try peer.send(.pingresp)
            try peer.send(.publish(topic: "a", qos: 1))
            try peer.serve()
        }
        try await withClient(to: broker.url, options: .quick(version)) { client, recorder in
            try await recorder.received(1)
            #expect(try await client.publish(Message(topic: "b", qos: .atLeastOnce)) == .success)
            #expect(try await client.publish(Message(topic: "b", qos: .exactlyOnce)) == .success)
            #expect(recorder.connections.count == 1)
        }
    }

    // MARK: Illegal

    static let illegalPackets: [[UInt8]] = [
        // PUBLISH: with an empty topic, without one, with a topic longer than the packet, QoS 3, identifier 0.
        [0x30, 0x02, 0x00, 0x00], [0x30, 0x00], [0x30, 0x01, 0x00], [0x30, 0x05, 0x00, 0xFF, 0x61, 0x62, 0x63],
        [0x36, 0x06, 0x00, 0x01, 0x61, 0x00, 0x01, 0x00], [0x32, 0x06, 0x00, 0x01, 0x61, 0x00, 0x00, 0x00],
        // A length of five bytes.
        [0x30, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F],
        // Packets that only a client sends, or nobody.
        [0x00, 0x00], [0xF0, 0x00], [0x10, 0x00], [0x80, 0x00], [0xC0, 0x00],
        // Answers that are too short.
        [0x90, 0x00], [0x90, 0x02, 0x00, 0x01], [0x40, 0x00], [0x40, 0x01, 0x00],
        // PINGRESP with a body.
        [0xD0, 0x05, 0x01, 0x02, 0x03, 0x04, 0x05],
    ]

    @Test(
        "what is against the protocol ends the connection, and the next one works",
        arguments: illegalPackets,
        ProtocolVersion.allCases
    )
    func illegal(bytes: [UInt8], version: ProtocolVersion) async throws {
        let broker = try FakeBroker { peer in
            try peer.accept()
            if peer.index == 0 {
                try peer.sendRaw(bytes)
                // Some of it the library takes without a word: then the connection simply goes on.
                if bytes[0] == 0xD0 || bytes[0] == 0xC0 { try peer.send(.publish(topic: "a", qos: 1)) }
            } else {
                try peer.send(.publish(topic: "a", qos: 1))
            }
            try peer.serve()
        }
        let options = ClientOptions.quick(version)
        try await withClient(to: broker.url, options: options) { _, recorder in
            try await recorder.received(1)
            // For AUTH the library says that it is out of memory (2.0.11, handle_auth.c).
            let expected: ClientError.Code = bytes[0] == 0xF0 && version == .v5 ? .library : .protocolError
            for error in recorder.disconnections { #expect(error?.code == expected, "\(error as Any)") }
        }
    }

    // A property that nobody knows: see `HostileBrokerTests`.
    @Test(
        "properties against the protocol end the connection",
        arguments: [
            [.contentType("a"), .contentType("b")], [.raw([0x02])], [.sessionExpiry(1)],
            [.raw([0x26, 0x00, 0x01, 0x61])],
        ] as [[FakeBroker.Property]]
    )
    func illegalProperties(properties: [FakeBroker.Property]) async throws {
        let broker = try FakeBroker { peer in
            try peer.accept()
            let isBad = peer.index == 0
            try peer.send(.publish(topic: "a", payload: [1], qos: 1, properties: isBad ? properties : []))
            try peer.serve()
        }
        try await withClient(to: broker.url) { _, recorder in
            let messages = try await recorder.received(1)
            #expect(messages[0].properties == MessageProperties())
            #expect(recorder.disconnections.map { $0?.code } == [.protocolError])
        }
    }

    @Test("a header that claims 268 MB does not harm", arguments: ProtocolVersion.allCases)
    func hugeClaim(version: ProtocolVersion) async throws {
        let broker = try FakeBroker { peer in
            try peer.accept()
            if peer.index == 0 {
                try peer.sendRaw([0x30, 0xFF, 0xFF, 0xFF, 0x7F, 0x00, 0x01, 0x61])
                _ = try peer.bytesAvailable(within: .milliseconds(200))
            } else {
                try peer.send(.publish(topic: "a", qos: 1))
                try peer.serve()
            }
        }
        try await withClient(to: broker.url, options: .quick(version)) { _, recorder in
            try await recorder.received(1)
            // Only MQTT 5 lets us say what is too large.
            let isTold = version == .v5 && PacketGate.obstacle == nil
            #expect(recorder.disconnections.map { $0?.code } == [isTold ? .protocolError : .connectionLost])
            guard isTold, let error = recorder.disconnections[0] else { return }
            #expect(error.detail.contains("268435460 bytes") && error.detail.contains("at most 16777216"), "\(error)")
        }
    }

    // MARK: DISCONNECT from the broker

    @Test(
        "the reason of a broker that hangs up is passed on, and it is connected to again",
        arguments: [
            ReasonCode.serverShuttingDown, .notAuthorized, .serverBusy, .keepAliveTimeout, .quotaExceeded,
            .administrativeAction, .malformedPacket, ReasonCode(rawValue: 0x9C),
        ]
    )
    func disconnect(reason: ReasonCode) async throws {
        let broker = try FakeBroker { peer in
            try peer.accept()
            if peer.index == 0 {
                try peer.send(.disconnect(reason: reason.rawValue, properties: [.reasonString("bye")]))
            }
            try peer.serve()
        }
        try await withClient(to: broker.url) { _, recorder in
            try await recorder.connected(2)
            let error = try #require(recorder.disconnections.first ?? nil)
            #expect(error.code == .rejected)
            #expect(error.reason == reason)
        }
    }

    @Test(
        "a DISCONNECT without a reason is a lost connection",
        arguments: [[0xE0, 0x02, 0x00, 0x00], [0xE0, 0x01, 0x00]] as [[UInt8]]
    )
    func plainDisconnect(bytes: [UInt8]) async throws {
        let broker = try FakeBroker { peer in
            try peer.accept()
            if peer.index == 0 { try peer.sendRaw(bytes) }
            try peer.serve()
        }
        try await withClient(to: broker.url) { _, recorder in
            try await recorder.connected(2)
            #expect(recorder.disconnections.map { $0?.code } == [.connectionLost])
        }
    }

    @Test("a takeover that the broker tells of ends it, and it is told once")
    func takenOver() async throws {
        let broker = try FakeBroker { peer in
            try peer.accept()
            try peer.send(.disconnect(reason: 0x8E))
            try peer.serve()
        }
        let recorder = Recorder()
        let error = try await failureOfClient(to: broker.url, recorder: recorder)
        #expect(error.code == .takenOver)
        #expect(recorder.disconnections.map { $0?.code } == [.takenOver])
        #expect(broker.connections == 1)
    }

    // MARK: Sessions (F25)

    @Test(
        "a session that the broker wiped is noticed once for each loss, and subscribed again",
        arguments: ProtocolVersion.allCases
    )
    func sessionWiped(version: ProtocolVersion) async throws {
        let broker = try FakeBroker { peer in
            // Kept, kept, wiped, kept.
            try peer.accept(sessionPresent: peer.index != 2)
            try peer.serve { packet in
                guard packet.type == .subscribe, peer.index < 3 else { return nil }
                for reply in try peer.usualAnswer(to: packet) { try peer.send(reply) }
                _ = try peer.bytesAvailable(within: .milliseconds(20))
                peer.close()
                return []
            }
        }
        let options = ClientOptions.quick(version).with { $0.session.expiry = .seconds(600) }
        try await withClient(to: broker.url, options: options, subscriptions: [SubscriptionRequest("a")]) {
            _,
            recorder in
            try await recorder.subscribed(4)
            #expect(recorder.sessionsLost == 1)
            #expect(recorder.connections.map(\.sessionPresent) == [true, true, false, true])
        }
        #expect(broker.count(.subscribe) == 4)
    }

    @Test("a broker that never has a session is told to keep none, once", arguments: ProtocolVersion.allCases)
    func keepsNoSessions(version: ProtocolVersion) async throws {
        let broker = try FakeBroker { peer in
            try peer.serve { packet in
                guard packet.type == .subscribe, peer.index < 5 else { return nil }
                for reply in try peer.usualAnswer(to: packet) { try peer.send(reply) }
                peer.close()
                return []
            }
        }
        let options = ClientOptions.quick(version).with { options in
            options.session.expiry = .seconds(600)
            options.session.isExpected = true
            options.reconnect.backoff.afterShortLives = .milliseconds(20)
        }
        try await withClient(to: broker.url, options: options, subscriptions: [SubscriptionRequest("a")]) {
            _,
            recorder in
            try await recorder.connected(6)
            #expect(recorder.sessionsLost == 1)
            let told = recorder.events.filter { if case .degraded = $0 { true } else { false } }
            #expect(told.count == 1)
        }
    }
}
