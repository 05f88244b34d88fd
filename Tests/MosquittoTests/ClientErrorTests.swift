import Testing

@testable import Mosquitto

@Suite("ClientError")
struct ClientErrorTests {
    @Test(
        "one line tells what was tried, why it failed and what to do",
        arguments: [
            (ClientError(.refused, operation: "connect to x"), "connect to x: connection refused"),
            (
                ClientError(.refused, operation: "connect to x", advice: "Is it running?"),
                "connect to x: connection refused. Is it running?"
            ),
            (
                ClientError(.unreachable, operation: "connect to x", detail: "No route to host"),
                "connect to x: unreachable: No route to host"
            ),
            (
                ClientError(
                    .rejected,
                    operation: "publish to \"a/b\"",
                    detail: "too much",
                    advice: "Send less",
                    reason: .quotaExceeded
                ),
                "publish to \"a/b\": rejected by the broker: quota exceeded (0x97): too much. Send less"
            ),
        ]
    )
    func description(error: ClientError, expected: String) {
        #expect(error.description == expected)
        #expect("\(error)" == expected)
    }

    @Test("kinds are told apart by identity, not by their words")
    func codes() {
        #expect(ClientError.Code.refused != .rejected)
        #expect(ClientError.Code.tlsExpired.description == "certificate expired or not yet valid")
    }

    @Test("what may be different next time is worth another attempt")
    func retriable() {
        let codes: [ClientError.Code] = [
            .refused, .unreachable, .timedOut, .nameUnknown, .nameLookupFailed, .tlsUntrusted, .tlsExpired,
            .tlsHostName, .tlsHandshake, .tlsClientCertificate, .badCredentials, .notAuthorized, .protocolError,
            .illegalTopic, .connectionLost, .keepAlive, .queueFull, .library,
        ]
        for code in codes { #expect(ClientError(code, operation: "x").isRetriable, "\(code)") }
        #expect(ClientError(.rejected, operation: "x", reason: .serverBusy).isRetriable)
    }

    @Test("a refused message names its topic harmlessly, and the broker's reason")
    func refusedPublish() {
        let error = ClientError.refusedPublish("a/\u{1B}[31m", .notAuthorized)
        #expect(error.code == .notAuthorized)
        #expect(error.reason == .notAuthorized)
        #expect(error.description == "publish to \"a/\\u{1b}[31m\": not authorised: not authorized (0x87)")
        #expect(ClientError.refusedPublish("a", .quotaExceeded).code == .rejected)
    }

    // MARK: Text from the network

    @Test(
        "text from the network is made harmless",
        arguments: [
            ("plain", "plain"), ("a\nb", "a\\u{a}b"), ("\u{1B}[31mred", "\\u{1b}[31mred"), ("\0", "\\u{0}"),
            ("\u{202E}abc", "\\u{202e}abc"), ("\u{2028}", "\\u{2028}"), ("\u{E000}", "\\u{e000}"),
            ("ä€😀", "ä€😀"), ("", ""),
        ]
    )
    func escaped(text: String, expected: String) {
        #expect(escapedForLog(text) == expected)
    }

    @Test("text from the network is cut, and shown to be")
    func cut() {
        #expect(escapedForLog("abcdef", limit: 6) == "abcdef")
        #expect(escapedForLog("abcdef", limit: 5) == "abcde…")
        #expect(escapedForLog(String(repeating: "x", count: 1_000)).count == 201)
        #expect(escapedForLog("a" + String(repeating: "\u{301}", count: 100_000)).unicodeScalars.count == 201)
    }
}
