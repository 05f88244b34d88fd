import TestSupport
import Testing

@testable import Mosquitto

@Suite("publish and receive", .serialized, .needsMosquitto)
struct ExchangeTests {
    @Test("a message arrives as it was sent", arguments: QoS.allCases, ProtocolVersion.allCases)
    func exchange(qos: QoS, version: ProtocolVersion) async throws {
        let broker = try MosquittoBroker.start()
        let sent = [
            Message(topic: "a/ä/😀", payload: [0, 1, 0x0A, 0xFF], qos: qos),
            Message(topic: "a", payload: [], qos: qos),
            Message(topic: "a//", payload: [UInt8](repeating: 7, count: 300_000), qos: qos),
        ]
        let subscription = SubscriptionRequest("a/#", qos: qos)
        try await withClient(to: broker.url, options: .quick(version), subscriptions: [subscription]) {
            client,
            recorder in
            try await recorder.subscribed()
            #expect(recorder.subscriptions[0].map(\.grantedQoS) == [qos])
            for message in sent { #expect(try await client.publish(message) == .success) }
            #expect(try await recorder.received(3) == sent)
            #expect(recorder.connections[0].version == version)
        }
    }

    @Test("1,000 messages arrive once each and in order", arguments: QoS.allCases, ProtocolVersion.allCases)
    func order(qos: QoS, version: ProtocolVersion) async throws {
        let broker = try MosquittoBroker.start(configuration: "max_queued_messages 10000")
        let subscription = SubscriptionRequest("n", qos: qos)
        try await withClient(to: broker.url, options: .quick(version), subscriptions: [subscription]) {
            client,
            recorder in
            try await recorder.subscribed()
            let results = Locked<[Result<ReasonCode, ClientError>]>([])
            for number in 0..<1_000 {
                try client.enqueue(Message(topic: "n", payload: Array("\(number)".utf8), qos: qos)) { result in
                    results.withLock { $0.append(result) }
                }
            }
            #expect(try await recorder.received(1_000).map(\.number) == Array(0..<1_000))
            #expect(try await eventually { results.withLock { $0.count } == 1_000 })
            #expect(results.withLock { $0.allSatisfy { $0 == .success(.success) } })
        }
    }

    @Test("a broker that tells that nobody is subscribed is heard")
    func noSubscribers() async throws {
        let broker = try MosquittoBroker.start()
        try await withClient(to: broker.url) { client, _ in
            let reason = try await client.publish(Message(topic: "nobody", qos: .atLeastOnce))
            #expect(reason == .noMatchingSubscribers)
        }
    }

    // MARK: Properties

    @Test("all properties of a message make the round trip, user properties repeated and in order")
    func properties() async throws {
        let broker = try MosquittoBroker.start()
        let properties = MessageProperties(
            contentType: "application/json; ä",
            responseTopic: "answers/here",
            correlationData: [0, 1, 2, 0xFF],
            expiry: .seconds(4_000_000_000),
            isText: true,
            userProperties: [.init("b", "1"), .init("a", "2"), .init("b", "1"), .init("", ""), .init("ä", "😀")]
        )
        let message = Message(topic: "p", payload: Array("text".utf8), qos: .atLeastOnce, properties: properties)
        try await withClient(to: broker.url, subscriptions: [SubscriptionRequest("p")]) { client, recorder in
            try await recorder.subscribed()
            try await client.publish(message)
            try await client.publish(Message(topic: "p", qos: .atLeastOnce))
            let messages = try await recorder.received(2)
            #expect(messages[0] == message)
            #expect(messages[0].properties[user: "b"] == "1")
            #expect(messages[1].properties == MessageProperties())
        }
    }

    @Test("the expiry of a message that the broker kept has been counted down")
    func expiry() async throws {
        let broker = try MosquittoBroker.start()
        var message = Message(topic: "e", payload: [1], qos: .atLeastOnce, isRetained: true)
        message.properties.expiry = .seconds(100)
        try await withClient(to: broker.url) { client, recorder in
            try await client.publish(message)
            #expect(
                try await eventually {
                    _ = try await client.subscribe([SubscriptionRequest("e")])
                    let expiry = recorder.messages.last?.properties.expiry ?? .seconds(100)
                    return expiry < .seconds(100) && expiry > .seconds(80)
                }
            )
        }
    }

    @Test("properties are left out where the broker speaks 3.1.1")
    func propertiesBefore5() async throws {
        let broker = try MosquittoBroker.start()
        let properties = MessageProperties(contentType: "text/plain", userProperties: [.init("a", "b")])
        try await withClient(
            to: broker.url,
            options: .quick(.v3_1_1),
            subscriptions: [SubscriptionRequest("p")]
        ) { client, recorder in
            try await recorder.subscribed()
            try await client.publish(Message(topic: "p", payload: [1], qos: .atLeastOnce, properties: properties))
            #expect(try await recorder.received(1) == [Message(topic: "p", payload: [1], qos: .atLeastOnce)])
        }
    }

    @Test("a property that cannot be sent fails its message and no other", arguments: 0..<7)
    func impossibleProperty(kind: Int) async throws {
        let broker = try MosquittoBroker.start()
        let long = String(repeating: "x", count: 65_536)
        var properties = MessageProperties()
        switch kind {
        case 0: properties.userProperties = [.init("a\0b", "c")]
        case 1: properties.userProperties = [.init("a", "b\0c")]
        case 2: properties.userProperties = [.init("a", long)]
        case 3: properties.contentType = "a\0b"
        case 4: properties.responseTopic = long
        case 5: properties.correlationData = Array(long.utf8)
        default: properties.contentType = "control \u{1}"
        }
        try await withClient(to: broker.url, subscriptions: [SubscriptionRequest("p")]) { client, recorder in
            try await recorder.subscribed()
            let error = await #expect(throws: ClientError.self) {
                try await client.publish(Message(topic: "p", qos: .atLeastOnce, properties: properties))
            }
            #expect(error?.code == .invalidProperty)
            #expect(recorder.refusals.map(\.error.code) == [.invalidProperty])
            try await client.publish(Message(topic: "p", payload: [1], qos: .atLeastOnce))
            #expect(try await recorder.received(1).map(\.payload) == [[1]])
            #expect(recorder.connections.count == 1)
        }
    }

    // MARK: Retained messages

    @Test("a kept message is marked, and one that is cleared is gone", arguments: ProtocolVersion.allCases)
    func retained(version: ProtocolVersion) async throws {
        let broker = try MosquittoBroker.start()
        try await withClient(to: broker.url, options: .quick(version)) { client, recorder in
            try await client.publish(Message(topic: "r/1", payload: [1], qos: .atLeastOnce, isRetained: true))
            try await client.publish(Message(topic: "r/2", payload: [2], qos: .atLeastOnce, isRetained: true))
            try await client.publish(Message(topic: "r/1", qos: .atLeastOnce, isRetained: true))
            _ = try await client.subscribe([SubscriptionRequest("r/#")])
            try await client.publish(Message(topic: "r/3", payload: [3], qos: .atLeastOnce, isRetained: true))
            let messages = try await recorder.received(2)
            #expect(messages.map(\.topic) == ["r/2", "r/3"])
            #expect(messages.map(\.isRetained) == [true, false])
        }
    }

    @Test("retain-as-published keeps the flag of live messages")
    func retainAsPublished() async throws {
        let broker = try MosquittoBroker.start()
        let request = SubscriptionRequest("r", retainAsPublished: true)
        try await withClient(to: broker.url, subscriptions: [request]) { client, recorder in
            try await recorder.subscribed()
            try await client.publish(Message(topic: "r", qos: .atLeastOnce, isRetained: true))
            try await client.publish(Message(topic: "r", qos: .atLeastOnce))
            #expect(try await recorder.received(2).map(\.isRetained) == [true, false])
        }
    }

    @Test("what the broker had kept is marked, and live messages with the same flag are not", arguments: [false, true])
    func marked(keepsSession: Bool) async throws {
        let broker = try MosquittoBroker.start()
        try await withClient(to: broker.url) { publisher, _ in
            func publish(_ topic: String, _ text: String, retain: Bool = true) async throws {
                try await publisher.publish(
                    Message(topic: topic, payload: Array(text.utf8), qos: .atLeastOnce, isRetained: retain)
                )
            }
            let options = ClientOptions.quick().with { options in
                options.clientID = "marked"
                options.session.expiry = keepsSession ? .seconds(60) : .zero
            }
            let request = SubscriptionRequest("m/#", retainAsPublished: true, marksKept: true)
            try await publish("m/1", "kept")
            for round in 1...2 {
                try await withClient(to: broker.url, options: options, subscriptions: [request]) { _, recorder in
                    try await recorder.subscribed()
                    for text in ["kept", "kept", ""] { try await publish("m/2", text) }
                    try await publish("m/1", "live", retain: false)
                    let messages = try await recorder.received(5).suffix(5)
                    #expect(messages.map(\.text) == ["kept", "kept", "kept", "", "live"], "round \(round)")
                    #expect(messages.map(\.isRetained) == [true, true, true, true, false])
                    #expect(
                        messages.map(\.properties.subscriptionIdentifiers.isEmpty) == [false, true, true, true, true]
                    )
                }
            }
        }
    }

    @Test("of a broker without subscription identifiers no flags of live messages are asked for")
    func unmarked() async throws {
        let asked = Locked<[FakeBroker.SubscribePacket]>([])
        let broker = try FakeBroker { peer in
            try peer.serve { packet in
                if packet.type == .subscribe { try asked.withLock { $0.append(try packet.subscribe()) } }
                return packet.type == .connect ? [.connack(properties: [.subscriptionIDsAvailable(false)])] : nil
            }
        }
        let request = SubscriptionRequest("m/#", retainAsPublished: true, marksKept: true)
        try await withClient(to: broker.url, subscriptions: [request]) { _, recorder in
            try await recorder.subscribed()
            #expect(recorder.connections.first?.subscriptionIdentifiersAvailable == false)
            #expect(recorder.events.contains { if case .degraded = $0 { true } else { false } })
        }
        #expect(asked.withLock { $0 }.map { $0.filters.map(\.retainAsPublished) } == [[false]])
    }

    @Test("retain handling decides whether kept messages come at all")
    func retainHandling() async throws {
        let broker = try MosquittoBroker.start()
        try await withClient(to: broker.url) { client, recorder in
            for topic in ["all", "new", "none"] {
                try await client.publish(Message(topic: topic, payload: [1], qos: .atLeastOnce, isRetained: true))
            }
            let requests = [
                SubscriptionRequest("all", retainHandling: .send),
                SubscriptionRequest("new", retainHandling: .sendIfNew),
                SubscriptionRequest("none", retainHandling: .doNotSend),
                SubscriptionRequest("marker"),
            ]
            for round in 1...2 {
                _ = try await client.subscribe(requests)
                try await client.publish(Message(topic: "marker", payload: Array("\(round)".utf8), qos: .atLeastOnce))
            }
            try await recorder.wait(for: "the second marker") { $0.messages.last?.text == "2" }
            #expect(recorder.messages.map(\.topic).filter { $0 != "marker" }.sorted() == ["all", "all", "new"])
        }
    }

    @Test("with no-local a client does not get its own messages, and those of others")
    func noLocal() async throws {
        let broker = try MosquittoBroker.start()
        let request = SubscriptionRequest("l", noLocal: true)
        try await withClient(to: broker.url, subscriptions: [request]) { client, recorder in
            try await recorder.subscribed()
            try await client.publish(Message(topic: "l", payload: Array("own".utf8), qos: .atLeastOnce))
            try await withClient(to: broker.url) { other, _ in
                _ = try await other.publish(Message(topic: "l", payload: Array("other".utf8), qos: .atLeastOnce))
            }
            #expect(try await recorder.received(1).map(\.text) == ["other"])
        }
    }
}
