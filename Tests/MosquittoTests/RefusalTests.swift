import Foundation
import TestSupport
import Testing

@testable import Mosquitto

@Suite("refused by the broker", .serialized)
struct RefusalTests {
    // MARK: Logins

    @Test(
        "a wrong password has its own error, and a long pause follows",
        arguments: [(ProtocolVersion.v5, 0x86), (.v3_1_1, 4)] as [(ProtocolVersion, UInt8)]
    )
    func badCredentials(version: ProtocolVersion, reason: UInt8) async throws {
        let broker = try FakeBroker { try $0.accept(reason: reason, properties: [.reasonString("go\u{202E}away")]) }
        try await withClient(to: broker.url, options: .quick(version)) { _, recorder in
            let error = try await recorder.firstFailure()
            #expect(error.code == .badCredentials)
            #expect(error.reason == .badUserNameOrPassword)
            #expect(error.isRetriable)
            #expect(recorder.retries[0].pause >= .seconds(15))
            #expect(error.advice.contains("password"))
            if version == .v5 { #expect(error.description.contains("go\\u{202e}away")) }
        }
        #expect(broker.connections == 1)
    }

    @Test(
        "mosquitto's refusal of a login is heard, and the right password accepted",
        .needsMosquitto,
        arguments: ProtocolVersion.allCases
    )
    func login(version: ProtocolVersion) async throws {
        let folder = try TemporaryDirectory()
        let passwords = folder.file("passwords")
        try Shell.run("mosquitto_passwd", ["-c", "-b", passwords, "ann", "hunter2"])
        let broker = try MosquittoBroker.start(configuration: "password_file \(passwords)")
        let secret = Secret.file(try folder.write("hunter2\n", to: "secret"))
        let options = ClientOptions.quick(version).with { $0.username = "ann" }
        try await withClient(to: broker.url, options: options.with { $0.password = secret }) { _, recorder in
            try await recorder.connected()
            #expect(recorder.warnings.isEmpty)
        }
        let wrong = options.with { $0.password = .value("hunter3") }
        try await withClient(to: broker.url, options: wrong) { _, recorder in
            // mosquitto 2.0.11 says "not authorised" for a wrong password too.
            let error = try await recorder.firstFailure()
            #expect([.notAuthorized, .badCredentials].contains(error.code))
            #expect(recorder.retries[0].pause >= .seconds(15))
            for event in recorder.events { #expect(!"\(event)".contains("hunter3")) }
        }
        let urlUser = "mqtt://ann@127.0.0.1:\(broker.port)"
        let other = options.with { options in
            options.username = "nobody"
            options.password = secret
        }
        try await withClient(to: urlUser, options: other) { _, recorder in try await recorder.connected() }
    }

    @Test("a client that is not authorised is told so", .needsMosquitto, arguments: ProtocolVersion.allCases)
    func notAuthorized(version: ProtocolVersion) async throws {
        let broker = try MosquittoBroker.start(configuration: "allow_anonymous false")
        try await withClient(to: broker.url, options: .quick(version)) { _, recorder in
            let error = try await recorder.firstFailure()
            #expect(error.code == .notAuthorized)
            #expect(error.reason == .notAuthorized)
            #expect(recorder.retries[0].pause >= .seconds(15))
        }
    }

    @Test("a password that cannot be read ends it, with the place", arguments: ProtocolVersion.allCases)
    func missingSecret(version: ProtocolVersion) async throws {
        let options = ClientOptions.quick(version).with { options in
            options.username = "ann"
            options.password = .file("/nowhere/password")
        }
        let broker = try FakeBroker { try $0.serve() }
        let error = try await failureOfClient(to: broker.url, options: options)
        #expect(error.code == .secret)
        #expect(error.description.contains("/nowhere/password"))
    }

    @Test("a password that is away while it connects again is waited for", arguments: ProtocolVersion.allCases)
    func secretIsReplaced(version: ProtocolVersion) async throws {
        let folder = try TemporaryDirectory()
        let path = try folder.write("hunter2", to: "password")
        let options = ClientOptions.quick(version).with { options in
            options.username = "ann"
            options.password = .file(path)
        }
        let broker = try FakeBroker { try $0.serve() }
        try await withClient(to: broker.url, options: options) { _, recorder in
            try await recorder.connected()
            try FileManager.default.removeItem(atPath: path)
            broker.peers[0].close()
            try await recorder.wait(for: "some attempts") { $0.retries.count { $0.error.code == .secret } >= 3 }
            _ = try folder.write("hunter2", to: "password")
            try await recorder.connected(2)
            #expect(broker.connections == 2)
        }
    }

    // MARK: Connections

    @Test(
        "a broker that does not speak the version ends it, with what to do",
        arguments: [
            (ProtocolVersion.v5, [0x20, 0x03, 0x00, 0x84, 0x00]), (.v5, [0x20, 0x02, 0x00, 0x01]),
            (.v3_1_1, [0x20, 0x02, 0x00, 0x01]),
        ] as [(ProtocolVersion, [UInt8])]
    )
    func version(version: ProtocolVersion, connack: [UInt8]) async throws {
        let broker = try FakeBroker { peer in
            try peer.expectConnect()
            try peer.sendRaw(connack)
            try peer.expectEnd()
        }
        let error = try await failureOfClient(to: broker.url, options: .quick(version))
        #expect(error.code == .rejected)
        #expect(error.reason == .unsupportedProtocolVersion)
        #expect(error.advice.contains("version"))
    }

    @Test("a refusal whose text is illegal is no poisoned message")
    func illegalText() async throws {
        let broker = try FakeBroker { try $0.accept(reason: 0x87, properties: [.reasonString("go\naway")]) }
        try await withClient(to: broker.url) { _, recorder in
            let error = try await recorder.firstFailure()
            #expect(error.code == .protocolError)
        }
    }

    @Test(
        "a client identifier that the broker does not take ends it",
        arguments: [(ProtocolVersion.v5, 0x85), (.v3_1_1, 2)] as [(ProtocolVersion, UInt8)]
    )
    func clientID(version: ProtocolVersion, reason: UInt8) async throws {
        let broker = try FakeBroker { try $0.accept(reason: reason) }
        let error = try await failureOfClient(to: broker.url, options: .quick(version))
        #expect(error.code == .rejected)
        #expect(error.reason == .clientIdentifierNotValid)
    }

    @Test(
        "a broker that is busy is asked again",
        arguments: [(ProtocolVersion.v5, 0x89), (.v5, 0x88), (.v5, 0x9F), (.v3_1_1, 3)] as [(ProtocolVersion, UInt8)]
    )
    func busy(version: ProtocolVersion, reason: UInt8) async throws {
        let broker = try FakeBroker { peer in
            try peer.accept(reason: peer.index < 2 ? reason : 0)
            if peer.index >= 2 { try peer.serve() }
        }
        try await withClient(to: broker.url, options: .quick(version)) { _, recorder in
            try await recorder.connected()
            #expect(recorder.retries.map(\.error.code) == [.rejected, .rejected])
            #expect(recorder.retries.map(\.attempt) == [1, 2])
        }
    }

    // MARK: Messages

    @Test(
        "a message that the access rules forbid is never a success",
        .needsMosquitto,
        arguments: [QoS.atLeastOnce, .exactlyOnce]
    )
    func publish(qos: QoS) async throws {
        let folder = try TemporaryDirectory()
        let rules = try folder.write("topic read #\ntopic write open/#\n", to: "acl")
        let broker = try MosquittoBroker.start(configuration: "allow_anonymous true\nacl_file \(rules)")
        try await withClient(to: broker.url) { client, recorder in
            let error = await #expect(throws: ClientError.self) {
                try await client.publish(Message(topic: "closed/door", payload: Array("hunter2".utf8), qos: qos))
            }
            #expect(error?.code == .notAuthorized)
            #expect(error?.reason == .notAuthorized)
            #expect(error?.description.contains("closed/door") == true)
            #expect(error?.description.contains("hunter2") == false)
            #expect(recorder.refusals.map(\.message.topic) == ["closed/door"])
            let reason = try await client.publish(Message(topic: "open/door", qos: qos))
            #expect(reason.isSuccess)
            #expect(recorder.connections.count == 1)
        }
    }

    @Test(
        "each reason to refuse a message is passed on",
        arguments: [ReasonCode.quotaExceeded, .topicNameInvalid, .payloadFormatInvalid, .unspecifiedError],
        [QoS.atLeastOnce, .exactlyOnce]
    )
    func publishReasons(reason: ReasonCode, qos: QoS) async throws {
        let broker = try FakeBroker { peer in
            try peer.serve { packet in
                guard packet.type == .publish, let packetID = packet.packetID else { return nil }
                return [
                    qos == .atLeastOnce
                        ? .puback(packetID: packetID, reason: reason.rawValue)
                        : .pubrec(packetID: packetID, reason: reason.rawValue)
                ]
            }
        }
        try await withClient(to: broker.url) { client, recorder in
            let error = await #expect(throws: ClientError.self) {
                try await client.publish(Message(topic: "a", qos: qos))
            }
            #expect(error?.code == .rejected)
            #expect(error?.reason == reason)
            #expect(recorder.refusals.map(\.error.reason) == [reason])
        }
    }

    @Test("a message that is larger than the broker takes is refused here, and the rest goes on")
    func tooLarge() async throws {
        let broker = try FakeBroker { peer in
            try peer.serve { packet in
                packet.type == .connect
                    ? [.connack(properties: [.maximumPacketSize(1_000), .maximumQoS(1), .retainAvailable(false)])] : nil
            }
        }
        try await withClient(to: broker.url) { client, recorder in
            try await recorder.connected()
            let info = recorder.connections[0]
            #expect(info.maximumPacketSize == 1_000)
            #expect(info.maximumQoS == .atLeastOnce)
            #expect(!info.retainAvailable)
            let large = Message(topic: "a", payload: [UInt8](repeating: 0, count: 1_000), qos: .atLeastOnce)
            let error = await #expect(throws: ClientError.self) { try await client.publish(large) }
            #expect(error?.code == .tooLarge)
            let twice = Message(topic: "a", qos: .exactlyOnce)
            let other = await #expect(throws: ClientError.self) { try await client.publish(twice) }
            #expect(other?.code == .unsupported)
            #expect(try await client.publish(Message(topic: "a", qos: .atLeastOnce)) == .success)
        }
    }

    @Test("what CONNACK says that the broker does not take is refused here, and never sent")
    func announced() async throws {
        let broker = try FakeBroker { peer in
            try peer.serve { packet in
                packet.type == .connect ? [.connack(properties: [.maximumQoS(0), .retainAvailable(false)])] : nil
            }
        }
        try await withClient(to: broker.url) { client, recorder in
            try await recorder.connected()
            for message in [Message(topic: "a", qos: .atLeastOnce), Message(topic: "a", isRetained: true)] {
                let error = await #expect(throws: ClientError.self) { try await client.publish(message) }
                #expect(error?.code == .unsupported)
            }
            try await client.publish(Message(topic: "b"))
            #expect(try await eventually { broker.published.map(\.topic) == ["b"] })
            #expect(broker.connections == 1)
        }
    }
}
