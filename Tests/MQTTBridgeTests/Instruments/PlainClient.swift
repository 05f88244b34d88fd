import Foundation
import Logging
import Mosquitto
import TestSupport
import Testing

@testable import MQTTBridge

/// A client that knows nothing of bridges.
final class PlainClient: Sendable {
    private final class Ears: ClientDelegate {
        let messages = Locked<[Message]>([])
        let isSubscribed = Locked(false)

        func client(_ client: Client, received messages: [Message]) -> ReceiveDecision {
            self.messages.withLock { $0 += messages }
            return .acknowledge
        }

        func client(_ client: Client, noticed event: ClientEvent) {
            if case .subscribed = event { isSubscribed.withLock { $0 = true } }
        }
    }

    private let ears = Ears()
    private let client: Client

    fileprivate init(_ url: String, _ options: ClientOptions, _ filters: [String]) throws {
        client = try Client(
            brokers: [try BrokerURL(url)],
            options: options,
            subscriptions: filters.map { SubscriptionRequest($0, qos: .exactlyOnce) },
            delegate: ears,
            logger: .silent
        )
    }

    var messages: [Message] { ears.messages.withLock { $0 } }

    var count: Int { ears.messages.withLock { $0.count } }

    var texts: [String] { messages.map { String(decoding: $0.payload, as: UTF8.self) } }

    func publish(
        _ topic: String,
        _ text: String,
        qos: QoS = .atLeastOnce,
        retain: Bool = false,
        user: [MessageProperties.UserProperty] = []
    ) async throws {
        let properties = MessageProperties(userProperties: user)
        try await client.publish(
            Message(topic: topic, payload: Array(text.utf8), qos: qos, isRetained: retain, properties: properties)
        )
    }

    func publish(_ message: Message) async throws { try await client.publish(message) }

    func hears(_ count: Int, within limit: Duration = .seconds(30)) async throws {
        if try await eventually(within: limit, { self.count >= count }) { return }
        throw FaultKitError(
            "not within \(limit.patient): \(count) messages; \(self.count) came: \(texts.prefix(20))"
        )
    }

    fileprivate func run() async throws { try await client.run() }

    fileprivate var isReady: Bool { ears.isSubscribed.withLock { $0 } }
}

/// Runs a client that knows nothing of bridges, connected and subscribed.
func withPlainClient<Value: Sendable>(
    _ url: String,
    _ filters: [String] = ["#"],
    version: ProtocolVersion = .v5,
    _ body: (PlainClient) async throws -> Value
) async throws -> Value {
    let client = try PlainClient(url, .quick(version), filters)
    let run = Task { try await client.run() }
    let result: Result<Value, any Error>
    do {
        guard try await eventually(within: .seconds(10), { client.isReady }) else {
            throw FaultKitError("the plain client is not subscribed")
        }
        result = .success(try await body(client))
    } catch {
        result = .failure(error)
    }
    run.cancel()
    try await withTimeLimit(.seconds(30), "the plain client ends") { try await run.value }
    return try result.get()
}

/// What a broker has kept on a topic.
func kept(_ topic: String, _ url: String) async throws -> String? {
    try await withPlainClient(url, [topic]) { client in
        _ = try? await client.hears(1, within: .milliseconds(300))
        return client.texts.last
    }
}

extension ClientOptions {
    /// Options with pauses of at most 50 ms, so that tests do not wait.
    static func quick(_ version: ProtocolVersion = .v5) -> ClientOptions {
        var options = ClientOptions()
        options.version = version
        options.reconnect.backoff.shortest = .milliseconds(10)
        options.reconnect.backoff.longest = .milliseconds(50)
        options.reconnect.backoff.longestLocal = .milliseconds(50)
        return options
    }
}

extension Broker {
    /// A broker with quick options.
    static func quick(
        _ url: String,
        _ version: ProtocolVersion = .v5,
        name: String = "default",
        metadata: Metadata = .automatic,
        _ change: (inout ClientOptions) -> Void = { _ in }
    ) throws -> Broker {
        var options = ClientOptions.quick(version)
        change(&options)
        return Broker([try BrokerURL(url)], name: name, options: options, metadata: metadata)
    }
}

extension MosquittoBroker {
    /// Where it is, for a client.
    var url: String { "mqtt://127.0.0.1:\(port)" }
}

extension FakeBroker {
    /// Where it is, for a client.
    var url: String { "mqtt://127.0.0.1:\(port)" }
}

extension Trait where Self == ConditionTrait {
    /// Where there is no mosquitto the test is skipped; in CI it fails.
    static var needsMosquitto: Self {
        .enabled("mosquitto is not installed") {
            MosquittoBroker.isInstalled || ProcessInfo.processInfo.environment["CI"] != nil
        }
    }
}
