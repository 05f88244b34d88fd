import Foundation
import TestSupport
import Testing

@testable import Mosquitto

/// Serialized, since the environment belongs to the process.
@Suite("Secret", .serialized)
struct SecretTests {
    private let folder: TemporaryDirectory

    init() throws { folder = try TemporaryDirectory() }

    // MARK: Where it is kept

    @Test("a value is itself, line breaks included", arguments: ["hunter2", "", "ends\n", "ä😀"])
    func value(_ text: String) throws {
        #expect(try Secret.value(text).load() == text)
    }

    @Test(
        "a file is read without the one line break at its end",
        arguments: [
            ("hunter2", "hunter2"), ("hunter2\n", "hunter2"), ("hunter2\r\n", "hunter2"), ("hunter2\n\n", "hunter2\n"),
            (" hunter2 ", " hunter2 "), ("a\nb\n", "a\nb"), ("hunter2\r", "hunter2\r"), ("ä😀\n", "ä😀"),
        ]
    )
    func file(content: String, expected: String) throws {
        let path = try folder.write(content, to: "password")
        #expect(Array(try Secret.file(path).load().utf8) == Array(expected.utf8))
    }

    @Test("a file is read anew each time")
    func changedFile() throws {
        let path = try folder.write("old", to: "password")
        let secret = Secret.file(path)
        #expect(try secret.load() == "old")
        try folder.write("new", to: "password")
        #expect(try secret.load() == "new")
    }

    @Test("the environment is read at each use")
    func environment() throws {
        let secret = Secret.environment("MOSQUITTO_TESTS_SECRET")
        setenv("MOSQUITTO_TESTS_SECRET", "hunter2", 1)
        defer { unsetenv("MOSQUITTO_TESTS_SECRET") }
        #expect(try secret.load() == "hunter2")
    }

    @Test("a credential is a file in the folder that systemd names")
    func credential() throws {
        try folder.write("hunter2\n", to: "mqtt-password")
        setenv("CREDENTIALS_DIRECTORY", folder.path, 1)
        defer { unsetenv("CREDENTIALS_DIRECTORY") }
        #expect(try Secret.credential("mqtt-password").load() == "hunter2")
        #expect(throws: ClientError.self) { try Secret.credential("other").load() }
    }

    // MARK: Where it is not

    @Test("what is missing or no password is an error that names the place")
    func missing() throws {
        unsetenv("CREDENTIALS_DIRECTORY")
        unsetenv("MOSQUITTO_TESTS_MISSING")
        setenv("MOSQUITTO_TESTS_EMPTY", "", 1)
        defer { unsetenv("MOSQUITTO_TESTS_EMPTY") }
        let binary = folder.file("binary")
        try Data([0x68, 0xFF, 0x32]).write(to: URL(fileURLWithPath: binary))
        let places: [(Secret, String)] = [
            (.file(folder.file("absent")), folder.file("absent")),
            (.file(try folder.write("", to: "empty")), "empty"),
            (.file(try folder.write("\n", to: "newline")), "empty"),
            (.file(folder.path), folder.path),
            (.file(binary), "UTF-8"),
            (.file(try folder.write("hun\0ter2", to: "nul")), "NUL"),
            (.file(try folder.write(String(repeating: "x", count: 65_537), to: "large")), "larger"),
            (.environment("MOSQUITTO_TESTS_MISSING"), "MOSQUITTO_TESTS_MISSING"),
            (.environment("MOSQUITTO_TESTS_EMPTY"), "MOSQUITTO_TESTS_EMPTY"),
            (.credential("mqtt-password"), "mqtt-password"),
        ]
        for (secret, expected) in places {
            let error = try #require(throws: ClientError.self) { try secret.load() }
            #expect(error.code == .secret)
            #expect(error.description.contains(expected), "\(error)")
            #expect(!error.description.contains("ter2"))
        }
    }

    // MARK: What it shows

    @Test("it never prints what it holds, alone or inside of options")
    func neverPrints() throws {
        let secret = Secret.value("hunter2")
        var options = ClientOptions()
        options.password = secret
        options.tls.clientCertificate = .init(certificate: "c", key: "k", keyPassword: secret)
        options.tls.preSharedKey = .init(identity: "i", key: secret)
        for shown in Self.allForms(of: secret) + Self.allForms(of: options) + Self.allForms(of: [secret]) {
            #expect(!shown.contains("hunter2"))
        }
        #expect("\(secret)" == "<secret>")
    }

    private static func allForms(of value: some Any) -> [String] {
        var dumped = ""
        dump(value, to: &dumped)
        let children = Mirror(reflecting: value).children.map { "\($0.value)" }
        return [String(describing: value), String(reflecting: value), "\(value)", dumped] + children
    }
}
