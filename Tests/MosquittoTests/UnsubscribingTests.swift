import TestSupport
import Testing

@testable import Mosquitto

@Suite("subscriptions of a kept session that end", .serialized)
struct UnsubscribingTests {
    private func kept(_ version: ProtocolVersion, former: [String] = []) -> ClientOptions {
        .quick(version, clientID: "keeper").with { options in
            options.session.expiry = .seconds(600)
            options.session.formerFilters = former
        }
    }

    @Test(
        "unsubscribing while away is done on the connection that finds the session",
        arguments: ProtocolVersion.allCases
    )
    func away(version: ProtocolVersion) async throws {
        let mayConnect = Locked(false)
        let broker = try FakeBroker { peer in
            guard mayConnect.withLock({ $0 }) else { return }
            try peer.serve { $0.type == .connect ? [.connack(sessionPresent: true)] : nil }
        }
        let subscriptions = [SubscriptionRequest("a"), SubscriptionRequest("b")]
        try await withClient(to: broker.url, options: kept(version), subscriptions: subscriptions) { client, recorder in
            let unsubscribing = Task { try await client.unsubscribe(["a"]) }
            try await recorder.wait(for: "some failed attempts") { $0.retries.count >= 3 }
            #expect(broker.unsubscribed == [])
            mayConnect.withLock { $0 = true }
            try await withTimeLimit(.seconds(30), "unsubscribe() returns") { try await unsubscribing.value }
            #expect(broker.unsubscribed == [["a"]])
        }
    }

    @Test("unsubscribing that is cut before the answer is done again", arguments: ProtocolVersion.allCases)
    func cut(version: ProtocolVersion) async throws {
        let broker = try FakeBroker { peer in
            try peer.serve { packet in
                switch packet.type {
                case .connect: return [.connack(sessionPresent: peer.index > 0)]
                case .unsubscribe where peer.index < 2:
                    peer.close()
                    return []
                default: return nil
                }
            }
        }
        try await withClient(
            to: broker.url,
            options: kept(version),
            subscriptions: [SubscriptionRequest("a")]
        ) { client, recorder in
            try await recorder.subscribed()
            try await withTimeLimit(.seconds(30), "unsubscribe() returns") { try await client.unsubscribe(["a"]) }
            #expect(broker.unsubscribed == [["a"], ["a"], ["a"]])
            #expect(broker.connections == 3)
        }
    }

    @Test("a session that is gone has ended the subscription as well", arguments: ProtocolVersion.allCases)
    func gone(version: ProtocolVersion) async throws {
        let broker = try FakeBroker { peer in
            try peer.serve { packet in
                guard packet.type == .unsubscribe else { return nil }
                peer.close()
                return []
            }
        }
        try await withClient(to: broker.url, options: kept(version)) { client, recorder in
            try await recorder.connected()
            try await withTimeLimit(.seconds(30), "unsubscribe() returns") { try await client.unsubscribe(["a"]) }
            #expect(broker.unsubscribed == [["a"]])
        }
    }

    @Test(
        "what an earlier run had subscribed to ends, and nothing else",
        .needsMosquitto,
        arguments: ProtocolVersion.allCases
    )
    func former(version: ProtocolVersion) async throws {
        let broker = try MosquittoBroker.start()
        let old = [SubscriptionRequest("home/#"), SubscriptionRequest("removed"), SubscriptionRequest("same")]
        try await withClient(to: broker.url, options: kept(version), subscriptions: old) { _, recorder in
            try await recorder.subscribed()
        }
        let new = [SubscriptionRequest("home/+/temperature"), SubscriptionRequest("same")]
        let options = kept(version, former: old.map(\.filter))
        try await withClient(to: broker.url, options: options, subscriptions: new) { client, recorder in
            try await recorder.subscribed()
            for topic in ["removed", "home/hall/temperature", "home/hall/light", "same"] {
                try await client.publish(Message(topic: topic, qos: .atLeastOnce))
            }
            #expect(try await recorder.received(2).map(\.topic) == ["home/hall/temperature", "same"])
        }
    }
}

extension FakeBroker {
    /// The filters of each UNSUBSCRIBE, over all connections.
    fileprivate var unsubscribed: [[String]] {
        peers.flatMap(\.recorded).compactMap { $0.type == .unsubscribe ? try? $0.unsubscribe().filters : nil }
    }
}
