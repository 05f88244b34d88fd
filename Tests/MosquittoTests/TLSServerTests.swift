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
        let options = options.with { $0.keepAlive = .seconds(10) }
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
}
