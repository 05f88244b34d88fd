import Testing

@testable import MQTTBridgeConfiguration

@Suite("NearestKey")
struct NearestKeyTests {
    private let keys = ["url", "urls", "version", "client_id", "keep_alive", "password", "qos", "direction"]

    @Test(
        "a slip of the keyboard, another case and hyphens are understood",
        arguments: [
            ("ulr", "url"), ("URL", "url"), ("client-id", "client_id"), ("clientId", "client_id"),
            ("keepalive", "keep_alive"),
            ("passwrod", "password"), ("passwd", "password"), ("qso", "qos"), ("directoin", "direction"),
            ("uris", "urls"),
        ]
    )
    func suggestion(key: String, expected: String) {
        #expect(NearestKey.suggestion(for: key, among: keys) == expected)
    }

    @Test("what is like no key gets no suggestion", arguments: ["", "x", "colour", "xyz", "hunter2", "日本語"])
    func none(key: String) {
        #expect(NearestKey.suggestion(for: key, among: keys) == nil)
    }

    @Test("a key as long as the file costs no time")
    func long() {
        #expect(NearestKey.suggestion(for: String(repeating: "u", count: 1_000_000), among: keys) == nil)
    }

    @Test(
        "the distance is the least number of edits",
        arguments: [("", "", 0), ("", "abc", 3), ("abc", "", 3), ("abc", "abd", 1), ("ab", "ba", 1), ("ca", "abc", 3)]
    )
    func distance(left: String, right: String, expected: Int) {
        #expect(NearestKey.distance(left, right) == expected)
        #expect(NearestKey.distance(right, left) == expected)
    }
}
