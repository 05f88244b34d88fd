import Foundation
import TestSupport
import Testing

@testable import Mosquitto

@Suite("subscribe and unsubscribe", .serialized, .needsMosquitto)
struct SubscribingTests {
    private static let plugin = "/usr/lib/x86_64-linux-gnu/mosquitto_dynamic_security.so"

    /// A broker that lets everybody subscribe to `open/#` only. Its `acl_file` does not look at subscriptions
    /// (mosquitto 2.0.11, security_default.c), its plugin does.
    private func guardedBroker(_ folder: TemporaryDirectory) throws -> MosquittoBroker {
        let rules = """
            {"defaultACLAccess": {"publishClientSend": true, "publishClientReceive": true, "subscribe": false,
              "unsubscribe": true},
             "anonymousGroup": "all", "clients": [],
             "groups": [{"groupname": "all", "roles": [{"rolename": "open"}], "clients": []}],
             "roles": [{"rolename": "open",
               "acls": [{"acltype": "subscribePattern", "topic": "open/#", "priority": 0, "allow": true}]}]}
            """
        let path = try folder.write(rules, to: "rules.json")
        return try MosquittoBroker.start(
            configuration: "plugin \(Self.plugin)\nplugin_opt_config_file \(path)\nallow_anonymous true"
        )
    }

    @Test(
        "200 subscriptions go out in batches, and each refusal has its reason",
        .enabled(if: FileManager.default.fileExists(atPath: plugin), "no dynamic security plugin"),
        arguments: ProtocolVersion.allCases
    )
    func batches(version: ProtocolVersion) async throws {
        let folder = try TemporaryDirectory()
        let broker = try guardedBroker(folder)
        let requests = (0..<200).map { number in
            SubscriptionRequest(number % 10 == 3 ? "closed/\(number)" : "open/\(number)", qos: QoS.allCases[number % 3])
        }
        try await withClient(to: broker.url, options: .quick(version), subscriptions: requests) { client, recorder in
            try await recorder.subscribed()
            let results = recorder.subscriptions[0]
            #expect(results.map(\.request) == requests)
            let refusal: ReasonCode = version == .v5 ? .notAuthorized : .unspecifiedError
            for result in results {
                if result.request.filter.hasPrefix("closed") {
                    #expect(result.reason == refusal)
                    #expect(result.grantedQoS == nil)
                } else {
                    #expect(result.grantedQoS == result.request.qos)
                }
            }
            try await client.publish(Message(topic: "open/199", payload: [1], qos: .atLeastOnce))
            try await recorder.received(1)
            #expect(recorder.subscriptions.count == 1)
            // Three levels of QoS, at most 64 filters each: 70, 65 and 65 filters are 6 packets.
            let subscribes = broker.log.components(separatedBy: "Received SUBSCRIBE from").count - 1
            #expect(subscribes == 6)
        }
    }

    @Test(
        "a subscription is there when the call returns, and gone when it was unsubscribed",
        arguments: ProtocolVersion.allCases
    )
    func unsubscribe(version: ProtocolVersion) async throws {
        let broker = try MosquittoBroker.start()
        try await withClient(to: broker.url, options: .quick(version)) { client, recorder in
            let results = try await client.subscribe([
                SubscriptionRequest("a", qos: .exactlyOnce), SubscriptionRequest("b"),
            ])
            #expect(results.map(\.grantedQoS) == [.exactlyOnce, .atLeastOnce])
            try await client.publish(Message(topic: "a", qos: .atLeastOnce))
            try await recorder.received(1)
            try await client.unsubscribe(["a"])
            try await client.publish(Message(topic: "a", qos: .atLeastOnce))
            try await client.publish(Message(topic: "b", qos: .atLeastOnce))
            #expect(try await recorder.received(2).map(\.topic) == ["a", "b"])
        }
    }

    @Test("what was subscribed or unsubscribed on the way holds after a reconnect", arguments: ProtocolVersion.allCases)
    func afterReconnect(version: ProtocolVersion) async throws {
        let broker = try MosquittoBroker.start()
        let initial = [SubscriptionRequest("initial"), SubscriptionRequest("given up")]
        try await withClient(to: broker.url, options: .quick(version), subscriptions: initial) { client, recorder in
            _ = try await client.subscribe([SubscriptionRequest("added")])
            try await client.unsubscribe(["given up"])
            broker.stop()
            try broker.restart()
            try await recorder.subscribed(2)
            #expect(recorder.subscriptions[1].map(\.request.filter) == ["initial", "added"])
            for topic in ["given up", "added", "initial"] {
                try await client.publish(Message(topic: topic, qos: .atLeastOnce))
            }
            #expect(try await recorder.received(2).map(\.topic) == ["added", "initial"])
        }
    }

    @Test("who subscribes while there is no connection is answered by the next one")
    func beforeConnection() async throws {
        let broker = try MosquittoBroker.start()
        broker.stop()
        try await withClient(to: broker.url) { client, recorder in
            async let results = client.subscribe([SubscriptionRequest("a")])
            try await recorder.wait(for: "a failed attempt") { !$0.retries.isEmpty }
            try broker.restart()
            #expect(try await results.map(\.grantedQoS) == [.atLeastOnce])
        }
    }

    @Test("without a session, who unsubscribes while away returns at once, and so does who had subscribed")
    func unsubscribeBeforeConnection() async throws {
        let port = try PortReservation()
        try await withClient(to: "mqtt://127.0.0.1:\(port.port)") { client, recorder in
            let answers = Locked<[SubscriptionResult]?>(nil)
            // Not by a task, which may begin after the other call.
            client.storage.order(
                .subscribe([SubscriptionRequest("a")]) { result in answers.withLock { $0 = try? result.get() } }
            )
            try await recorder.wait(for: "a failed attempt") { !$0.retries.isEmpty }
            try await client.unsubscribe(["a"])
            #expect(answers.withLock { $0 }?.map(\.grantedQoS) == [nil])
        }
    }

    @Test("an illegal filter is refused without asking the broker")
    func illegal() async throws {
        try await withClient(to: "mqtt://127.0.0.1:1") { client, _ in
            let error = await #expect(throws: ClientError.self) {
                try await client.subscribe([SubscriptionRequest("a"), SubscriptionRequest("a/#/b")])
            }
            #expect(error?.code == .invalidTopic)
            await #expect(throws: ClientError.self) { try await client.unsubscribe(["+a"]) }
        }
    }

    @Test("nothing to do is done")
    func nothing() async throws {
        try await withClient(to: "mqtt://127.0.0.1:1") { client, _ in
            #expect(try await client.subscribe([]) == [])
            try await client.unsubscribe([])
        }
    }
}
