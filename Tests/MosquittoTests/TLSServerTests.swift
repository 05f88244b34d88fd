import Foundation
import TestSupport
import Testing

@testable import Mosquitto

/// What mosquitto cannot be made to do, with OpenSSL's own test server.
@Suite("TLS, against openssl s_server", .serialized, .needsOpenSSL)
struct TLSServerTests {
    private let certificates: TestCertificates

    init() throws { certificates = try TestCertificates.shared() }

    private func server(_ arguments: [String]) async throws -> (process: ChildProcess, url: String) {
        let identity = ["-cert", certificates.server.certificate, "-key", certificates.server.key]
        while true {
            let port = try FreePort.next()
            let process = try ChildProcess(
                "openssl",
                ["s_server", "-accept", "127.0.0.1:\(port)"] + identity + arguments
            )
            let url = "mqtts://127.0.0.1:\(port)"
            if arguments.contains("-quiet") { return (process, url) }
            do {
                try await process.waitForLine(containing: "ACCEPT")
                return (process, url)
            } catch  where process.transcript.contains("Address already in use") {
                // Somebody else was faster; another port will do.
            }
        }
    }

    private var options: ClientOptions {
        ClientOptions.quick(.v3_1_1).with { $0.tls.trust = .file(certificates.authority) }
    }

    @Test("a server that speaks TLS 1.1 at most is refused")
    func oldVersion() async throws {
        let (server, url) = try await server(["-tls1_1", "-cipher", "DEFAULT@SECLEVEL=0"])
        try await withClient(to: url, options: options) { _, recorder in
            let error = try await recorder.firstFailure()
            #expect(error.code == .tlsHandshake, "\(error)")
        }
        server.kill()
    }

    @Test("TLS 1.2 and 1.3 are spoken", arguments: ["-tls1_2", "-tls1_3"])
    func newVersions(version: String) async throws {
        let (server, url) = try await server([version])
        try await withClient(to: url, options: options) { _, recorder in
            try await server.waitForLine(containing: "CIPHER is")
            #expect(recorder.retries.isEmpty)
        }
        server.kill()
    }

    @Test("TLS 1.2 is spoken with forward secrecy only")
    func forwardSecrecy() async throws {
        // Keys of elliptic curves have no ciphers without it.
        let folder = try TemporaryDirectory()
        let files = ["-keyout", folder.file("key"), "-out", folder.file("certificate")]
        let names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"]
        let maker = try ChildProcess("openssl", ["req", "-x509", "-newkey", "rsa:2048", "-nodes"] + files + names)
        #expect(try await maker.wait() == .exited(0), "\(maker.transcript)")
        let identity = ["-cert", folder.file("certificate"), "-key", folder.file("key"), "-tls1_2"]
        let options = options.with { $0.tls.trust = .file(folder.file("certificate")) }

        let (server, url) = try await server(identity + ["-cipher", "AES128-GCM-SHA256:AES256-SHA256"])
        try await withClient(to: url, options: options) { _, recorder in
            let error = try await recorder.firstFailure()
            #expect(error.code == .tlsHandshake, "\(error)")
        }
        server.kill()
        let ciphers = "AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256"
        let (sound, soundURL) = try await self.server(identity + ["-cipher", ciphers])
        try await withClient(to: soundURL, options: options) { _, recorder in
            try await sound.waitForLine(containing: "CIPHER is ECDHE-RSA-AES128-GCM-SHA256")
            #expect(recorder.retries.isEmpty)
        }
        sound.kill()
    }

    @Test("an address is not sent as the name of the host", arguments: ["-tls1_2", "-tls1_3"])
    func address(version: String) async throws {
        let (server, url) = try await server([version, "-tlsextdebug"])
        try await withClient(to: url, options: options) { _, _ in
            try await server.waitForLine(containing: "CIPHER is")
            #expect(server.transcript.contains("TLS client extension"))
            #expect(!server.transcript.contains("server name"), "\(server.transcript)")
        }
        server.kill()
    }

    @Test("a client certificate that is missing is told from other failures", arguments: ["-tls1_2", "-tls1_3"])
    func missingClientCertificate(version: String) async throws {
        let (server, url) = try await server([version, "-Verify", "1", "-CAfile", certificates.authority])
        try await withClient(to: url, options: options) { _, recorder in
            let error = try await recorder.firstFailure()
            #expect(error.code == .tlsClientCertificate, "\(error)")
        }
        server.kill()
    }

    @Test("the protocol to name in the handshake is named, and the host too")
    func applicationProtocol() async throws {
        let (server, url) = try await server(["-alpn", "x-other,mqtt", "-tlsextdebug"])
        let options = options.with { $0.tls.applicationProtocol = "mqtt" }
        try await withClient(to: url.replacing("127.0.0.1", with: "localhost"), options: options) { _, _ in
            try await server.waitForLine(containing: "ALPN protocols selected: mqtt")
            try await server.waitForLine(containing: "server name")
        }
        server.kill()
    }

    /// More than the batch of one turn in a single record: OpenSSL has it all, the socket is not readable any more.
    @Test("many packets in one TLS record are all read, without waiting for the next record")
    func oneRecord() async throws {
        let (server, url) = try await server(["-quiet"])
        let connack = "\u{20}\u{02}\0\0"
        let messages = (0..<600).map { number -> String in
            let packetID = [number / 100 + 1, number % 100 + 1].compactMap { Unicode.Scalar($0) }
            let payload = number == 599 ? "" : "."
            // The line feed that ends the line is the payload of the last.
            return "\u{32}\u{06}\0\u{01}a\(packetID[0])\(packetID[1])\(payload)"
        }
        // The server prints what the client sends; a keep-alive of 10 s is a line feed in CONNECT.
        let options = options.with { $0.timeouts.keepAlive = .seconds(10) }
        try await withClient(to: url, options: options) { _, recorder in
            try await server.waitForLine(containing: "MQTT")
            try server.write(line: connack + messages.joined())
            let begin = ContinuousClock.now
            try await recorder.received(600)
            let elapsed = begin.duration(to: .now)
            #expect(elapsed < .milliseconds(450).stretched, "the clock that asks for pings must not be what wakes it")
        }
        server.kill()
    }

    /// A server that sends CONNACK, then a packet, once or for ever.
    private func server(
        sending packet: [UInt8],
        isEndless: Bool,
        files folder: TemporaryDirectory
    ) throws -> (process: ChildProcess, url: String) {
        let connack: [UInt8] = [0x20, 0x03, 0x00, 0x00, 0x00]
        // A prime number of bytes: records end in the middle of packets.
        let count = isEndless ? 9_973 : 1
        let bytes = (connack + packet, (0..<count).flatMap { _ in packet })
        let files = [folder.file("first"), folder.file("others")]
        try Data(bytes.0).write(to: URL(fileURLWithPath: files[0]))
        try Data(bytes.1).write(to: URL(fileURLWithPath: files[1]))
        let port = try FreePort.next()
        let identity = "-cert \(certificates.server.certificate) -key \(certificates.server.key)"
        let source = isEndless ? "cat \(files[0]); while cat \(files[1]); do :; done" : "cat \(files[0]); exec sleep 60"
        let process = try ChildProcess(
            "sh",
            ["-c", "(\(source)) | exec openssl s_server -quiet -accept 127.0.0.1:\(port) \(identity)"]
        )
        return (process, "mqtts://127.0.0.1:\(port)")
    }

    @Test("a property that MQTT 5 does not know ends the connection, not the process", .needsPacketGate)
    func unknownProperty() async throws {
        let folder = try TemporaryDirectory()
        let (server, url) = try server(
            sending: [0x30, 0x06, 0x00, 0x01, 0x61, 0x02, 0x7F, 0x00],
            isEndless: false,
            files: folder
        )
        let options = options.with { $0.version = .v5 }
        try await withClient(to: url, options: options) { _, recorder in
            try await recorder.wait(for: "an end") { !$0.disconnections.isEmpty }
            let error = try #require(recorder.disconnections[0])
            #expect(error.code == .protocolError && error.detail.contains("127"), "\(error)")
        }
        server.kill()
    }

    /// libmosquitto reads on as long as OpenSSL holds a byte (2.0.11, loop.c, `SSL_DATA_PENDING`).
    @Test("a flood of small packets does not keep the client from ending")
    func flood() async throws {
        let folder = try TemporaryDirectory()
        let suback: [UInt8] = [0x90, 0x04, 0x00, 0x63, 0x00, 0x00]
        let (server, url) = try server(sending: suback, isEndless: true, files: folder)
        let options = options.with { $0.version = .v5 }
        let clock = ContinuousClock()
        var end = clock.now
        try await withClient(to: url, options: options) { client, recorder in
            try await recorder.connected()
            try await client.publish(Message(topic: "a"))
            end = clock.now
        }
        #expect(end.duration(to: clock.now) < .seconds(2).stretched)
        server.kill()
    }
}
