import MQTTBridge
import Mosquitto
import Testing

@testable import MQTTBridgeConfiguration

@Suite("Substitution")
struct SubstitutionTests {
    private let environment = ["A": "1", "EMPTY": "", "YAML": "{a: [b", "SELF": "${SELF}", "É": "no", "_x9": "y"]

    @Test(
        "variables are filled in, and nothing else is touched",
        arguments: [
            ("", ""), ("plain", "plain"), ("${A}", "1"), ("a${A}b${A}c", "a1b1c"), ("${_x9}", "y"),
            ("${NOT:-x}", "x"), ("${EMPTY:-x}", "x"), ("${EMPTY}", ""), ("${A:-x}", "1"), ("${NOT:-}", ""),
            ("${NOT:-a:-b}", "a:-b"), ("${NOT:-a}b}", "ab}"), ("${NOT:-${A}", "${A"),
            ("$SYS/$x$", "$SYS/$x$"), ("$${A}", "${A}"), ("$$${A}", "$${A}"), ("$$", "$$"), ("$A", "$A"),
            ("{a}$", "{a}$"), ("$}{", "$}{"), ("${SELF}", "${SELF}"), ("${YAML}", "{a: [b"),
            ("${A}\u{301}", "1\u{301}"), ("\u{1F600}${A}", "\u{1F600}1"),
        ]
    )
    func filledIn(raw: String, expected: String) throws {
        let text = try Substitution(raw, environment: environment).text
        #expect(Array(text.unicodeScalars) == Array(expected.unicodeScalars))
    }

    @Test(
        "what is no variable says where and why",
        arguments: [
            ("${NOT}", 0, "NOT is not set"), ("é${NOT}", 1, "NOT is not set"), ("${A}${NOT}", 4, "NOT is not set"),
            ("a${", 1, "this is none"), ("${}", 0, "this is none"), ("${A", 0, "this is none"),
            ("${ A}", 0, "this is none"), ("${1A}", 0, "this is none"), ("${É}", 0, "this is none"),
            ("${A-b}", 0, "this is none"), ("${:-x}", 0, "this is none"), ("${rest...}", 0, "this is none"),
        ]
    )
    func failure(raw: String, offset: Int, message: String) throws {
        let failure = try #require(throws: Substitution.Failure.self) {
            try Substitution(raw, environment: environment)
        }
        #expect(failure.offset == offset)
        #expect(failure.message.hasSuffix(message))
    }

    @Test("variables work in every kind of value, but not in keys")
    func everywhere() throws {
        let yaml = """
            brokers:
              ${A}:
                url: mqtt://${HOST}:${PORT}
                keep_alive: ${N}s
                in_flight: ${N}
                version: "${V:-3.1.1}"
                will: {topic: t, retain: "${B}"}
            routes:
              - {topic: "${S}/{x}/$SYS", event: "e.{x}", qos: "${Q:-0}", direction: "${D}"}
            """
        let values = ["HOST": "h", "PORT": "9", "N": "7", "B": "true", "S": "a/b", "D": "in"]
        let configuration = try BridgeConfiguration(yaml: yaml, file: "f", environment: values)
        let broker = configuration.brokers[0]
        #expect(broker.name == "${A}")
        #expect(broker.urls.map(\.description) == ["mqtt://h:9"])
        #expect(broker.options.timeouts.keepAlive == .seconds(7))
        #expect(broker.options.limits.inFlightWindow == 7)
        #expect(broker.options.version == .v3_1_1)
        #expect(broker.options.will?.message.isRetained == true)
        #expect(configuration.routes.map(\.topic.text) == ["a/b/{x}/$SYS"])
        #expect(configuration.routes.map(\.qos) == [.atMostOnce])
        #expect(configuration.routes.map(\.direction) == [.in])
    }

    @Test("what comes out of a variable is text: neither YAML nor a capture")
    func isText() throws {
        let yaml = "brokers: {h: {url: mqtt://h, client_id: \"${X}\"}}\nroutes: [{topic: \"t/${T:-a}\", event: e}]"
        let text = "a\", \"x\": {b: [c # d"
        let values = ["X": text]
        let configuration = try BridgeConfiguration(yaml: yaml, file: "f", environment: values)
        #expect(configuration.brokers[0].options.clientID == text)
        let found = problems(yaml, environment: ["X": "x", "T": "{room}"])
        #expect(found.map(\.message) == ["the value of ${T} holds a brace"])
        #expect(
            problems(yaml, environment: ["X": "a\nb"]).map(\.message) == ["\"client_id\" holds a control character"]
        )
    }
}
