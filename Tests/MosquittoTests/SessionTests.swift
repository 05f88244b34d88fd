import TestSupport
import Testing

@testable import Mosquitto

@Suite("sessions and wills", .serialized, .needsMosquitto)
struct SessionTests {
    @Test("what was published while away arrives on return", arguments: ProtocolVersion.allCases)
    func kept(version: ProtocolVersion) async throws {
        let broker = try MosquittoBroker.start()
        let options = ClientOptions.quick(version, clientID: "keeper").with { $0.session.expiry = .seconds(600) }
        let subscriptions = [SubscriptionRequest("s")]
        try await withClient(to: broker.url, options: options, subscriptions: subscriptions) { _, recorder in
            try await recorder.subscribed()
            #expect(recorder.connections.map(\.sessionPresent) == [false])
            #expect(recorder.sessionsLost == 0)
        }
        try await withClient(to: broker.url) { client, _ in
            for number in 0..<50 {
                _ = try await client.publish(Message(topic: "s", payload: Array("\(number)".utf8), qos: .atLeastOnce))
            }
        }
        try await withClient(to: broker.url, options: options, subscriptions: subscriptions) { _, recorder in
            let messages = try await recorder.received(50)
            #expect(messages.map(\.number) == Array(0..<50))
            #expect(recorder.connections.map(\.sessionPresent) == [true])
        }
    }

    @Test("without a session nothing waits", arguments: ProtocolVersion.allCases)
    func fresh(version: ProtocolVersion) async throws {
        let broker = try MosquittoBroker.start()
        let options = ClientOptions.quick(version, clientID: "forgetful")
        let subscriptions = [SubscriptionRequest("s")]
        try await withClient(to: broker.url, options: options, subscriptions: subscriptions) { _, recorder in
            try await recorder.subscribed()
        }
        try await withClient(to: broker.url) { client, _ in
            _ = try await client.publish(Message(topic: "s", payload: Array("missed".utf8), qos: .atLeastOnce))
        }
        try await withClient(to: broker.url, options: options, subscriptions: subscriptions) { client, recorder in
            try await recorder.subscribed()
            try await client.publish(Message(topic: "s", payload: Array("heard".utf8), qos: .atLeastOnce))
            #expect(try await recorder.received(1).map(\.text) == ["heard"])
            #expect(recorder.connections.map(\.sessionPresent) == [false])
        }
    }

    @Test("a broker that lost its sessions is noticed, and subscribed to again", arguments: ProtocolVersion.allCases)
    func lost(version: ProtocolVersion) async throws {
        let broker = try MosquittoBroker.start()
        let options = ClientOptions.quick(version).with { $0.session.expiry = .seconds(600) }
        try await withClient(
            to: broker.url,
            options: options,
            subscriptions: [SubscriptionRequest("s")]
        ) { client, recorder in
            try await recorder.subscribed()
            broker.kill()
            try broker.restart()
            try await recorder.subscribed(2)
            #expect(recorder.sessionsLost == 1)
            try await client.publish(Message(topic: "s", qos: .atLeastOnce))
            try await recorder.received(1)
        }
    }

    // MARK: Wills

    private static let testament = Will(
        Message(
            topic: "wills/mine",
            payload: Array("gone".utf8),
            qos: .atLeastOnce,
            properties: MessageProperties(
                contentType: "text/plain",
                userProperties: [.init("a", "b"), .init("a", "c")]
            )
        ),
        delay: .seconds(1)
    )

    @Test("the will is published when the connection is cut, after its delay", arguments: ProtocolVersion.allCases)
    func will(version: ProtocolVersion) async throws {
        let broker = try MosquittoBroker.start()
        let proxy = try TCPProxy(to: broker.port)
        try await withClient(to: broker.url, subscriptions: [SubscriptionRequest("wills/#")]) { _, watcher in
            try await watcher.subscribed()
            // A will with a delay dies with its session, so there must be one.
            let options = ClientOptions.quick(version).with { options in
                options.will = Self.testament
                options.session.expiry = .seconds(60)
            }
            try await withClient(to: proxy.url, options: options) { _, recorder in
                try await recorder.connected()
                proxy.mode = .refuse
                let cut = ContinuousClock.now
                proxy.resetConnections()
                let message = try await watcher.received(1)[0]
                #expect(message.topic == "wills/mine")
                #expect(message.text == "gone")
                guard version == .v5 else { return }
                #expect(message.properties == Self.testament.message.properties)
                // The broker counts in whole seconds.
                #expect(cut.duration(to: .now) > .milliseconds(10))
            }
        }
    }

    @Test(
        "a birth message follows each connect, and the will's message an orderly end",
        arguments: ProtocolVersion.allCases
    )
    func birth(version: ProtocolVersion) async throws {
        let broker = try MosquittoBroker.start()
        let proxy = try TCPProxy(to: broker.port)
        func message(_ text: String) -> Message {
            Message(topic: "wills/mine", payload: Array(text.utf8), qos: .atLeastOnce, isRetained: true)
        }
        try await withClient(to: broker.url, subscriptions: [SubscriptionRequest("wills/#")]) { _, watcher in
            try await watcher.subscribed()
            let options = ClientOptions.quick(version).with { $0.will = Will(message("gone"), birth: message("here")) }
            try await withClient(to: proxy.url, options: options) { client, recorder in
                try await recorder.connected()
                #expect(try await watcher.received(1).map(\.text) == ["here"])
                proxy.resetConnections()
                try await recorder.connected(2)
                #expect(try await watcher.received(3).map(\.text) == ["here", "gone", "here"])
                try await client.publish(Message(topic: "wills/work", payload: [0x78], qos: .atLeastOnce))
            }
            // Said once, and not by the broker.
            #expect(try await watcher.received(5).map(\.text) == ["here", "gone", "here", "x", "gone"])
        }
    }

    @Test("the will is not published after an orderly end", arguments: ProtocolVersion.allCases)
    func noWill(version: ProtocolVersion) async throws {
        let broker = try MosquittoBroker.start()
        try await withClient(to: broker.url, subscriptions: [SubscriptionRequest("wills/#")]) { client, watcher in
            try await watcher.subscribed()
            let options = ClientOptions.quick(version).with { $0.will = Will(Self.testament.message) }
            try await withClient(to: broker.url, options: options) { _, recorder in
                try await recorder.connected()
            }
            try await client.publish(Message(topic: "wills/marker", qos: .atLeastOnce))
            #expect(try await watcher.received(1).map(\.topic) == ["wills/marker"])
        }
    }
}
