import TestSupport
import Testing

@testable import Mosquitto

@Suite("TLS", .serialized, .needsMosquitto, .needsOpenSSL)
struct TLSTests {
    private let certificates: TestCertificates

    init() throws { certificates = try TestCertificates.shared() }

    private func broker(
        _ identity: KeyPath<TestCertificates, TestCertificates.Identity> = \.server,
        clientAuthority: String? = nil
    ) throws -> MosquittoBroker {
        let identity = certificates[keyPath: identity]
        return try MosquittoBroker.start(
            listener: .tls(
                certificate: identity.certificate,
                key: identity.key,
                clientAuthority: clientAuthority
            )
        )
    }

    private func options(
        _ version: ProtocolVersion = .v5,
        trust: TLSOptions.Trust? = nil,
        _ change: (inout TLSOptions) -> Void = { _ in }
    ) -> ClientOptions {
        var options = ClientOptions.quick(version)
        options.tls.trust = trust ?? .file(certificates.authority)
        change(&options.tls)
        return options
    }

    // MARK: The broker's certificate

    @Test(
        "the right host is accepted, by name and by address",
        arguments: ["localhost", "127.0.0.1"],
        ProtocolVersion.allCases
    )
    func accepted(host: String, version: ProtocolVersion) async throws {
        let broker = try broker()
        try await withClient(
            to: "mqtts://\(host):\(broker.port)",
            options: options(version),
            subscriptions: [SubscriptionRequest("a")]
        ) { client, recorder in
            try await recorder.subscribed()
            let payload = [UInt8](repeating: 7, count: 300_000)
            try await client.publish(Message(topic: "a", payload: payload, qos: .atLeastOnce))
            let messages = try await recorder.received(1)
            #expect(messages[0].payload == payload)
            #expect(recorder.retries.isEmpty)
            #expect(recorder.warnings.isEmpty)
        }
    }

    @Test("an authority in a folder is found")
    func folder() async throws {
        let broker = try broker()
        let options = options(trust: .folder(certificates.authorityFolder))
        try await withClient(to: "mqtts://localhost:\(broker.port)", options: options) { _, recorder in
            try await recorder.connected()
        }
    }

    struct Flaw: Sendable, CustomTestStringConvertible {
        let name: String
        let identity: @Sendable (TestCertificates) -> TestCertificates.Identity
        let trust: @Sendable (TestCertificates) -> TLSOptions.Trust
        let code: ClientError.Code
        var host = "localhost"

        var testDescription: String { name }
    }

    @Test(
        "a certificate with a flaw is refused, each with its own error",
        arguments: [
            Flaw(name: "other name", identity: \.wrongNameServer, trust: { .file($0.authority) }, code: .tlsHostName),
            Flaw(
                name: "other name, by address",
                identity: \.wrongNameServer,
                trust: { .file($0.authority) },
                code: .tlsHostName,
                host: "127.0.0.1"
            ),
            Flaw(
                name: "other authority",
                identity: \.server,
                trust: { .file($0.unknownAuthority) },
                code: .tlsUntrusted
            ),
            Flaw(name: "system's authorities", identity: \.server, trust: { _ in .system }, code: .tlsUntrusted),
            Flaw(name: "expired", identity: \.expiredServer, trust: { .file($0.authority) }, code: .tlsExpired),
        ],
        ProtocolVersion.allCases
    )
    func flaw(_ flaw: Flaw, version: ProtocolVersion) async throws {
        let identity = flaw.identity(certificates)
        let broker = try MosquittoBroker.start(listener: .tls(certificate: identity.certificate, key: identity.key))
        let options = options(version, trust: flaw.trust(certificates))
        try await withClient(to: "mqtts://\(flaw.host):\(broker.port)", options: options) { _, recorder in
            let error = try await recorder.firstFailure()
            #expect(error.code == flaw.code, "\(error)")
            #expect(!error.advice.isEmpty)
            #expect(recorder.connections.isEmpty)
        }
    }

    @Test("verification is skipped by the long name only, and that is warned of at each connect")
    func skipped() async throws {
        let broker = try broker(\.wrongNameServer)
        let options = options(trust: .file(certificates.unknownAuthority)) { $0.dangerouslySkipVerification = true }
        try await withClient(to: "mqtts://localhost:\(broker.port)", options: options) { _, recorder in
            try await recorder.connected()
            #expect(recorder.warnings.count == 1)
            #expect(recorder.warnings[0].contains("not verified"))
            try await onThread { try broker.restart() }
            try await recorder.connected(2)
            #expect(recorder.warnings.count == 2)
        }
    }

    @Test("authorities that cannot be read end it, naming the place", arguments: ["/nowhere/ca.pem", "/dev/null"])
    func unreadableAuthority(path: String) async throws {
        let error = try await failureOfClient(to: "mqtts://localhost:1", options: options(trust: .file(path)))
        #expect(error.code == .tlsConfiguration)
        #expect(error.description.contains(path))
    }

    @Test("a folder of authorities that is not there ends it")
    func unreadableFolder() async throws {
        let error = try await failureOfClient(
            to: "mqtts://localhost:1",
            options: options(trust: .folder("/nowhere/authorities"))
        )
        #expect(error.code == .tlsConfiguration)
        #expect(error.description.contains("/nowhere/authorities"))
    }

    // MARK: Our own certificate

    @Test("a client certificate that is asked for is given", arguments: ProtocolVersion.allCases)
    func clientCertificate(version: ProtocolVersion) async throws {
        let broker = try broker(clientAuthority: certificates.authority)
        let options = options(version) { tls in
            tls.clientCertificate = .init(certificate: certificates.client.certificate, key: certificates.client.key)
        }
        try await withClient(to: "mqtts://localhost:\(broker.port)", options: options) { _, recorder in
            try await recorder.connected()
        }
    }

    @Test(
        "a client certificate that is missing, or of another authority, is told from other failures",
        arguments: [false, true],
        ProtocolVersion.allCases
    )
    func refusedClientCertificate(isGiven: Bool, version: ProtocolVersion) async throws {
        let broker = try broker(clientAuthority: certificates.authority)
        let options = options(version) { tls in
            guard isGiven else { return }
            let identity = certificates.unknownClient
            tls.clientCertificate = .init(certificate: identity.certificate, key: identity.key)
        }
        try await withClient(to: "mqtts://localhost:\(broker.port)", options: options) { _, recorder in
            let error = try await recorder.firstFailure()
            #expect(error.code == .tlsClientCertificate, "\(error)")
            #expect(error.advice.contains("certificate"))
        }
    }

    @Test("an encrypted key is opened with the password of a file")
    func encryptedKey() async throws {
        let folder = try TemporaryDirectory()
        let password = try folder.write("\(certificates.clientKeyPassword)\n", to: "password")
        let broker = try broker(clientAuthority: certificates.authority)
        let options = options { tls in
            tls.clientCertificate = .init(
                certificate: certificates.client.certificate,
                key: certificates.encryptedClientKey,
                keyPassword: .file(password)
            )
        }
        try await withClient(to: "mqtts://localhost:\(broker.port)", options: options) { _, recorder in
            try await recorder.connected()
        }
    }

    @Test("a key that cannot be opened ends it, without asking on the terminal", arguments: 0..<6)
    func unusableKey(kind: Int) async throws {
        let (certificate, key) = (certificates.client.certificate, certificates.encryptedClientKey)
        let options = options { tls in
            tls.clientCertificate =
                switch kind {
                case 0: .init(certificate: certificate, key: key, keyPassword: .value("wrong horse"))
                case 1: .init(certificate: certificate, key: key)
                case 2:
                    .init(certificate: certificate, key: key, keyPassword: .value(String(repeating: "x", count: 5_000)))
                case 3: .init(certificate: certificate, key: certificates.server.key)
                case 4: .init(certificate: certificate, key: "/nowhere/client.key")
                default: .init(certificate: "/nowhere/client.crt", key: key)
                }
        }
        let error = try await failureOfClient(to: "mqtts://localhost:1", options: options)
        #expect(error.code == .tlsConfiguration)
        #expect(error.description.contains(kind == 5 ? "client certificate" : "client key"), "\(error)")
        #expect(!error.description.contains("wrong horse"))
    }

    @Test("a password of a key that cannot be read is named")
    func missingKeyPassword() async throws {
        let options = options { tls in
            tls.clientCertificate = .init(
                certificate: certificates.client.certificate,
                key: certificates.encryptedClientKey,
                keyPassword: .file("/nowhere/password")
            )
        }
        let error = try await failureOfClient(to: "mqtts://localhost:1", options: options)
        #expect(error.code == .secret)
    }

    // MARK: Other peers

    @Test("mqtts:// to a port without TLS is an error that says so, at once", arguments: ProtocolVersion.allCases)
    func plainPort(version: ProtocolVersion) async throws {
        let broker = try MosquittoBroker.start()
        let begin = ContinuousClock.now
        try await withClient(to: "mqtts://localhost:\(broker.port)", options: options(version)) { _, recorder in
            let error = try await recorder.firstFailure()
            print("mqtts:// to a plain port, after \(begin.duration(to: .now)): \(error)")
            // The broker hangs up on bytes that it does not understand, or resets the connection.
            #expect([.tlsHandshake, .connectionLost].contains(error.code), "\(error)")
            #expect(error.advice.contains("mqtt://"))
            #expect(begin.duration(to: .now) < .seconds(2).stretched)
        }
    }

    @Test("mqtts:// to a server that answers in clear is told that it is no TLS")
    func clearAnswer() async throws {
        let broker = try FakeBroker { peer in
            try peer.sendRaw(Array("220 mail.example ESMTP\r\n".utf8))
            _ = try? peer.read()
        }
        try await withClient(to: "mqtts://localhost:\(broker.port)", options: options()) { _, recorder in
            let error = try await recorder.firstFailure()
            #expect(error.code == .tlsHandshake)
            #expect(error.advice.contains("mqtt://"), "\(error)")
        }
    }

    @Test("mqtt:// to a TLS port is an error, not a hang", arguments: ProtocolVersion.allCases)
    func tlsPort(version: ProtocolVersion) async throws {
        let broker = try broker()
        let begin = ContinuousClock.now
        try await withClient(to: broker.url, options: .quick(version)) { _, recorder in
            let error = try await recorder.firstFailure()
            print("mqtt:// to a TLS port, after \(begin.duration(to: .now)): \(error)")
            #expect([.connectionLost, .protocolError].contains(error.code), "\(error)")
            #expect(begin.duration(to: .now) < .seconds(2).stretched)
        }
    }

    @Test("nobody listens: refused, with TLS as without")
    func refused() async throws {
        let nobody = try PortReservation()
        try await withClient(to: "mqtts://localhost:\(nobody.port)", options: options()) { _, recorder in
            try await recorder.wait(for: "three attempts", within: .seconds(2)) { $0.retries.count >= 3 }
            for retry in recorder.retries { #expect(retry.error.code == .refused, "\(retry.error)") }
        }
    }

    @Test("a peer that hangs up in the middle of the handshake is noticed at once", arguments: [false, true])
    func hangUp(reset: Bool) async throws {
        let broker = try FakeBroker { peer in
            _ = try peer.bytesAvailable(within: .seconds(1))
            // The beginning of a record of the handshake.
            try peer.sendRaw([0x16, 0x03, 0x03, 0x00, 0x40, 0x02])
            peer.close(reset: reset)
        }
        try await withClient(to: "mqtts://localhost:\(broker.port)", options: options()) { _, recorder in
            let error = try await recorder.firstFailure(within: .seconds(2))
            #expect([.tlsHandshake, .connectionLost].contains(error.code), "\(error)")
        }
    }

    @Test("a peer that accepts and never shakes hands is given up in time")
    func silence() async throws {
        let isDone = Locked(false)
        let broker = try FakeBroker { peer in
            while !isDone.withLock({ $0 }) { _ = try peer.bytesAvailable(within: .milliseconds(20)) }
        }
        defer { isDone.withLock { $0 = true } }
        let options = options().with { $0.timeouts.connect = .milliseconds(300) }
        try await withClient(to: "mqtts://localhost:\(broker.port)", options: options) { _, recorder in
            let error = try await recorder.firstFailure()
            #expect(error.code == .timedOut)
        }
    }
}
