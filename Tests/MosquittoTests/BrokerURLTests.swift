import Testing

@testable import Mosquitto

@Suite("BrokerURL")
struct BrokerURLTests {
    struct Good: Sendable, CustomTestStringConvertible {
        let text: String
        let transport: BrokerURL.Transport
        let host: String
        var port: UInt16 = 1883
        var user: String?
        /// How it is shown again.
        let shown: String

        var testDescription: String { text }
    }

    @Test(
        "a URL is read, and shown in its one form",
        arguments: [
            Good(text: "mqtt://broker", transport: .tcp, host: "broker", shown: "mqtt://broker:1883"),
            Good(text: "mqtt://broker/", transport: .tcp, host: "broker", shown: "mqtt://broker:1883"),
            Good(text: "MQTT://Broker:1", transport: .tcp, host: "Broker", port: 1, shown: "mqtt://Broker:1"),
            Good(text: "tcp://b:65535", transport: .tcp, host: "b", port: 65_535, shown: "mqtt://b:65535"),
            Good(text: "mqtts://b", transport: .tls, host: "b", port: 8_883, shown: "mqtts://b:8883"),
            Good(text: "ssl://b:1883", transport: .tls, host: "b", shown: "mqtts://b:1883"),
            Good(text: "tls://b", transport: .tls, host: "b", port: 8_883, shown: "mqtts://b:8883"),
            Good(text: "mqtt://ann@b", transport: .tcp, host: "b", user: "ann", shown: "mqtt://ann@b:1883"),
            Good(text: "mqtt://a@x.org@b", transport: .tcp, host: "b", user: "a@x.org", shown: "mqtt://a@x.org@b:1883"),
            Good(text: "mqtt://@b", transport: .tcp, host: "b", shown: "mqtt://b:1883"),
            Good(text: "mqtt://[::1]", transport: .tcp, host: "::1", shown: "mqtt://[::1]:1883"),
            Good(
                text: "mqtts://[fe80::1%eth0]:99",
                transport: .tls,
                host: "fe80::1%eth0",
                port: 99,
                shown: "mqtts://[fe80::1%eth0]:99"
            ),
            Good(text: "mqtt://u@[::1]:7", transport: .tcp, host: "::1", port: 7, user: "u", shown: "mqtt://u@[::1]:7"),
            Good(text: "mqtt://127.0.0.1", transport: .tcp, host: "127.0.0.1", shown: "mqtt://127.0.0.1:1883"),
            Good(
                text: "unix:///run/mqtt.sock",
                transport: .unix,
                host: "/run/mqtt.sock",
                port: 0,
                shown: "unix:///run/mqtt.sock"
            ),
            Good(text: "unix:///a b:c@d", transport: .unix, host: "/a b:c@d", port: 0, shown: "unix:///a b:c@d"),
        ]
    )
    func good(_ good: Good) throws {
        let url = try BrokerURL(good.text)
        #expect(url.transport == good.transport)
        #expect(url.host == good.host)
        #expect(url.port == good.port)
        #expect(url.user == good.user)
        #expect(url.description == good.shown)
        #expect(try BrokerURL(url.description) == url)
    }

    @Test(
        "what is no URL of a broker is refused, with what is expected",
        arguments: [
            "", "broker", "broker:1883", "mqtt:broker", "mqtt://", "mqtt:///", "mqtt://:1883", "mqtt://b:",
            "mqtt://b:0",
            "mqtt://b:65536", "mqtt://b:-1", "mqtt://b:+1", "mqtt://b:1x", "mqtt://b:1:2", "mqtt://::1", "mqtt://[::1",
            "mqtt://[::1]1883", "mqtt://[]:1", "mqtt://b/path", "mqtt://b c", "mqtt://b\n", "mqtt://b\0",
            "mqtt://b?x=1", "mqtt://b#x", "http://b", "ws://b", "wss://b", "://b", "unix://", "unix://relative",
            "unix://" + "/" + String(repeating: "x", count: 107),
        ]
    )
    func bad(_ text: String) throws {
        let error = try #require(throws: ClientError.self) { try BrokerURL(text) }
        #expect(error.code == .invalidURL)
        #expect(!error.isRetriable)
        #expect(error.description.contains("Write mqtt://HOST[:PORT]"))
    }

    @Test(
        "a password in a URL is refused and not repeated",
        arguments: [
            "mqtt://ann:hunter2@b", "mqtts://:hunter2@b:1", "mqtt://ann:hunter2@[::1]:x", "mqtt://ann:\u{301}hunter2@b",
            "mqtt://ann:hunter2@\u{301}b", "http://ann:hunter2@b", "mqtt://ann:hunter2@b:99999",
        ]
    )
    func password(_ text: String) throws {
        let error = try #require(throws: ClientError.self) { try BrokerURL(text) }
        #expect(error.code == .invalidURL)
        var dumped = ""
        dump(error, to: &dumped)
        for shown in [error.description, String(reflecting: error), dumped] { #expect(!shown.contains("hunter2")) }
    }

    @Test("the longest path of a socket is 107 bytes")
    func longestPath() throws {
        let path = "/" + String(repeating: "x", count: 106)
        #expect(try BrokerURL("unix://\(path)").host == path)
    }

    @Test(
        "a broker on this machine is told from one elsewhere",
        arguments: [
            ("mqtt://localhost", true), ("mqtt://LOCALHOST", true), ("mqtt://127.0.0.1", true),
            ("mqtts://127.9.9.9", true),
            ("mqtt://[::1]", true), ("unix:///s", true), ("mqtt://broker", false), ("mqtt://10.0.0.1", false),
            ("mqtt://127.evil.example", false), ("mqtt://localhost.example", false), ("mqtt://[::2]", false),
        ]
    )
    func isLocal(text: String, expected: Bool) throws {
        #expect(try BrokerURL(text).isLocal == expected)
    }

    @Test("control characters of a name are shown escaped")
    func escaped() throws {
        #expect(try BrokerURL("unix:///a\nb").description == "unix:///a\\u{a}b")
        #expect(try BrokerURL("mqtt://a\u{1B}b@c").description == "mqtt://a\\u{1b}b@c:1883")
    }
}
