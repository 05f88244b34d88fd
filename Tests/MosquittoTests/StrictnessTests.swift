import TestSupport
import Testing

@testable import Mosquitto

@Suite("what libmosquitto 2.0 takes without a word, and 2.1 does not")
struct StrictnessTests {
    /// Wildcards, which MQTT forbids there, and more than 200 levels.
    @Test(
        "such a topic is text, or ends the connection",
        arguments: ["a/+/b", "#", "a/#", "+", String(repeating: "/", count: 65_535)],
        ProtocolVersion.allCases
    )
    func topics(topic: String, version: ProtocolVersion) async throws {
        let broker = try FakeBroker { peer in
            try peer.accept()
            try peer.send(.publish(topic: peer.index == 0 ? topic : "a", qos: 1, packetID: 1))
            if peer.index == 0 { try peer.send(.publish(topic: "a", qos: 1, packetID: 2)) }
            try peer.serve()
        }
        try await withClient(to: broker.url, options: .quick(version)) { _, recorder in
            try await recorder.wait(for: "the legal one") { $0.messages.last?.topic == "a" }
            let isText = recorder.connections.count == 1
            #expect(recorder.messages.map(\.topic) == (isText ? [topic, "a"] : ["a"]))
            #expect(recorder.disconnections.map { $0?.code } == (isText ? [] : [.protocolError]))
        }
    }

    @Test("a second CONNACK changes nothing, or ends the connection", arguments: ProtocolVersion.allCases)
    func secondConnack(version: ProtocolVersion) async throws {
        let broker = try FakeBroker { peer in
            try peer.accept()
            if peer.index == 0 { try peer.send(.connack()) }
            try peer.send(.publish(topic: "a", qos: 1))
            try peer.serve()
        }
        try await withClient(to: broker.url, options: .quick(version)) { client, recorder in
            try await recorder.received(1)
            #expect(try await client.publish(Message(topic: "b", qos: .atLeastOnce)) == .success)
            #expect(recorder.connections.count == 1 || recorder.disconnections.map { $0?.code } == [.protocolError])
        }
    }
}
