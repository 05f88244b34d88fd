import TestSupport
import Testing

@testable import Mosquitto

@Suite("what answers is no broker", .serialized)
struct ForeignAnswerTests {
    @Test(
        "it is named at once, without waiting for the limit",
        arguments: [
            ("SSH-2.0-OpenSSH_9.2p1\r\n", "an SSH server answers: \"SSH-2.0-OpenSSH_9.2p1\""),
            ("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n", "an HTTP server answers"),
            ("220 mail.example ESMTP\r\n", "does not speak MQTT: \"220 mail.example ESMTP\""),
            ("\u{15}\u{03}\u{03}\u{00}\u{02}", "speaks TLS"),
        ],
        ProtocolVersion.allCases
    )
    func answer(answer: (bytes: String, detail: String), version: ProtocolVersion) async throws {
        let server = try FakeBroker { peer in
            // A banner before anything is said, and no end.
            try peer.sendRaw(Array(answer.bytes.utf8))
            _ = try? peer.read()
            _ = try? peer.read()
        }
        let began = ContinuousClock.now
        try await withClient(to: server.url, options: .quick(version)) { _, recorder in
            let error = try await recorder.firstFailure()
            #expect(error.code == .protocolError)
            #expect(error.description.contains(answer.detail))
            #expect(error.isRetriable)
        }
        #expect(began.duration(to: .now) < .seconds(5).stretched)
    }

    @Test("what a broker may say first is none of this", arguments: [0x20, 0xE0, 0xF0] as [UInt8])
    func packets(byte: UInt8) {
        #expect(ForeignAnswer.error([byte, 0], operation: "connect") == nil)
        #expect(ForeignAnswer.error([], operation: "connect") == nil)
    }

    @Test("text of a stranger is escaped and cut")
    func escaped() {
        let text = "\u{1B}[31m" + String(repeating: "x", count: 100)
        let error = ForeignAnswer.error(Array(text.utf8), operation: "connect")
        #expect(error?.detail.contains("\u{1B}") == false)
        #expect((error?.detail.count ?? 0) < 100)
    }

    @Test(
        "a CONNECT that is answered by silence or the end names what may be why",
        arguments: ProtocolVersion.allCases,
        [true, false]
    )
    func unanswered(version: ProtocolVersion, hangsUp: Bool) async throws {
        let broker = try FakeBroker { peer in
            try peer.expectConnect()
            if !hangsUp { try peer.expectEnd() }
        }
        let options = ClientOptions.quick(version).with { options in
            options.timeouts.connect = .milliseconds(300)
            options.will = Will(Message(topic: "last/words", qos: .atLeastOnce))
        }
        try await withClient(to: broker.url, options: options) { _, recorder in
            let error = try await recorder.firstFailure()
            #expect(error.code == (hangsUp ? .connectionLost : .timedOut))
            #expect(error.advice.contains("3.1.1"))
            #expect(error.advice.contains("set version: 3.1.1") == (version == .v5))
            #expect(error.advice.contains("\"last/words\" (0 bytes, QoS 1)"))
        }
    }

    @Test(
        "a will that CONNACK refuses is named",
        arguments: [ReasonCode.retainNotSupported, .qosNotSupported, .notAuthorized]
    )
    func will(reason: ReasonCode) async throws {
        let broker = try FakeBroker { try $0.accept(reason: reason.rawValue) }
        let options = ClientOptions.quick().with { $0.will = Will(Message(topic: "last/words", isRetained: true)) }
        try await withClient(to: broker.url, options: options) { _, recorder in
            let error = try await recorder.firstFailure()
            #expect(error.reason == reason)
            #expect(error.advice.contains("the will for \"last/words\" (0 bytes, QoS 0, retained)"))
        }
    }
}
