import TestSupport
import Testing

@testable import Mosquitto

@Suite("a hold beyond its limit", .serialized)
struct ParkTests {
    private static func options(_ version: ProtocolVersion = .v5) -> ClientOptions {
        .quick(version, clientID: "keeper").with { options in
            options.session.expiry = .seconds(600)
            options.timeouts.hold = .milliseconds(100)
        }
    }

    @Test(
        "says DISCONNECT without a word about the session, and connects when it is told to",
        arguments: ProtocolVersion.allCases
    )
    func park(version: ProtocolVersion) async throws {
        let endings = Locked<[FakeBroker.DisconnectPacket]>([])
        let broker = try FakeBroker { peer in
            try peer.accept(sessionPresent: peer.index > 0)
            guard peer.index == 0 else { return try peer.serve() }
            let ending = try peer.expectDisconnect()
            endings.withLock { $0.append(ending) }
            try peer.expectEnd()
        }
        let recorder = Recorder()
        try await withClient(to: broker.url, options: Self.options(version), recorder: recorder) { client, recorder in
            try await recorder.connected()
            client.hold()
            try await recorder.parked()
            #expect(try await eventually { endings.withLock { $0.count == 1 } })
            #expect(endings.withLock { $0.map(\.reason) } == [0])
            #expect(endings.withLock { $0.flatMap(\.properties) } == [])
            #expect(recorder.parks == [.held])
            #expect(recorder.disconnections == [nil])
            client.hold()
            #expect(try await !eventually(within: .milliseconds(300)) { broker.connections > 1 })
            #expect(recorder.parks == [.held])
            client.resume()
            try await recorder.connected(2)
            #expect(recorder.resumptions == 1)
            #expect(recorder.retries.isEmpty)
            #expect(recorder.connections[1].sessionPresent)
        }
        #expect(recorder.disconnections == [nil, nil])
        #expect(broker.errors.isEmpty, "\(broker.errors)")
    }

    @Test(
        "a real broker publishes no will, and collects meanwhile: nothing is lost, doubled or reordered",
        .needsMosquitto,
        arguments: ProtocolVersion.allCases
    )
    func session(version: ProtocolVersion) async throws {
        let broker = try MosquittoBroker.start()
        let will = Will(Message(topic: "wills/mine", qos: .atLeastOnce))
        let options = Self.options(version).with { $0.will = will }
        try await withClient(to: broker.url, subscriptions: [SubscriptionRequest("wills/#")]) { publisher, watcher in
            try await watcher.subscribed()
            try await withClient(
                to: broker.url,
                options: options,
                subscriptions: [SubscriptionRequest("a")]
            ) { client, recorder in
                try await recorder.subscribed()
                for number in 0..<300 {
                    try await publisher.publish(
                        Message(topic: "a", payload: Array("\(number)".utf8), qos: .atLeastOnce)
                    )
                    if number == 100 {
                        client.hold()
                        try await recorder.parked()
                    } else if number == 200 {
                        client.resume()
                    }
                }
                #expect(try await recorder.received(300).map(\.number) == Array(0..<300))
                #expect(recorder.connections.map(\.sessionPresent) == [false, true])
                #expect(recorder.sessionsLost == 0)
            }
            try await publisher.publish(Message(topic: "wills/marker", qos: .atLeastOnce))
            #expect(try await watcher.received(1).map(\.topic) == ["wills/marker"])
        }
    }

    @Test("what waits to be published stays, in order, and goes out afterwards")
    func outbox() async throws {
        let broker = try FakeBroker { peer in
            try peer.accept()
            try peer.serve { packet in packet.type == .publish && peer.index == 0 ? [] : nil }
        }
        let options = Self.options().with { $0.limits.inFlightWindow = 4 }
        try await withClient(to: broker.url, options: options) { client, recorder in
            try await recorder.connected()
            let reasons = Locked<[Int]>([])
            func enqueue(_ numbers: Range<Int>) throws {
                for number in numbers {
                    try client.enqueue(Message(topic: "a", payload: Array("\(number)".utf8), qos: .atLeastOnce)) { _ in
                        reasons.withLock { $0.append(number) }
                    }
                }
            }
            try enqueue(0..<10)
            #expect(try await eventually { broker.published.count == 4 })
            client.hold()
            try await recorder.parked()
            try enqueue(10..<20)
            #expect(try await !eventually(within: .milliseconds(200)) { broker.published.count > 4 })
            client.resume()
            #expect(try await eventually { reasons.withLock { $0 } == Array(0..<20) })
        }
        #expect(broker.published.map(\.text) == (Array(0..<4) + Array(0..<20)).map(String.init))
    }

    @Test("a client that is held before it begins does not connect until it is told to")
    func before() async throws {
        let broker = try FakeBroker { peer in
            try peer.accept()
            try peer.serve()
        }
        let recorder = Recorder()
        let client = try Client(
            brokers: [BrokerURL(broker.url)],
            options: .quick(),
            delegate: recorder,
            logger: .silent
        )
        client.hold()
        let run = Task { try await client.run() }
        try await recorder.parked()
        #expect(try await !eventually(within: .milliseconds(200)) { broker.connections > 0 })
        #expect(recorder.parks == [.held])
        #expect(recorder.disconnections.isEmpty)
        client.resume()
        try await recorder.connected()
        run.cancel()
        try await withTimeLimit(.seconds(30), "run() returns") { try await run.value }
        #expect(recorder.disconnections == [nil])
    }

    @Test("subscribing while parked is done with the next connection")
    func subscribing() async throws {
        let broker = try FakeBroker { peer in
            try peer.accept()
            try peer.serve()
        }
        try await withClient(to: broker.url, options: Self.options()) { client, recorder in
            try await recorder.connected()
            client.hold()
            try await recorder.parked()
            async let results = client.subscribe([SubscriptionRequest("later")])
            client.resume()
            #expect(try await results.map(\.grantedQoS) == [.atLeastOnce])
        }
        #expect(broker.connections == 2)
    }

    @Test("a client that is parked ends at once")
    func end() async throws {
        let broker = try FakeBroker { peer in
            try peer.accept()
            try peer.serve()
        }
        let recorder = Recorder()
        let start = Locked(ContinuousClock.now)
        try await withClient(to: broker.url, options: Self.options(), recorder: recorder) { client, recorder in
            try await recorder.connected()
            client.hold()
            try await recorder.parked()
            start.withLock { $0 = .now }
        }
        #expect(start.withLock { $0 }.duration(to: .now) < .seconds(5).stretched)
        #expect(recorder.disconnections == [nil])
        #expect(broker.connections == 1)
    }
}
