import MQTTBridgeConfiguration
import TestSupport
import Testing

@Suite("Secrets")
struct SecrecyTests {
    private static let marker = "hunter2-S3cret"

    /// Lines of a broker, or whole texts, that are wrong, with the marker where people put secrets.
    static let broken: [String] = [
        "password: %",
        "password: \"%\"",
        "password: [%]",
        "password: {%}",
        "password: {%: x}",
        "password: {%: x, %: y}",
        "password: {val: %}",
        "password: {value: %, file: %}",
        "password: {value: [%]}",
        "password: {value: {%: %}}",
        "password: {file: %}",
        "password: {file: /nowhere/%}",
        "password: {env: %}",
        "password: {env: \"% x\"}",
        "password: {credential: ../%}",
        "password: {value: \"${NOT_SET}%\"}",
        "password: {value: \"%${\"}",
        "password: {value: \"%\\0\"}",
        "password: {value: *%}",
        "password: {value: &% x}",
        "password: {value: !% x}",
        "password: %: %",
        "password: @%",
        "password: \"%\\q\"",
        "password: '%",
        "password: {value: %",
        "passwrd: %",
        "tls: {key_password: %}",
        "tls: {key_password: {file: %}}",
        "tls: {psk: %}",
        "tls: {psk: {%: x}}",
        "tls: {psk: {identity: me, key: %}}",
        "tls: {psk: {identity: me, key: {value: %}}}",
        "tls: {psk: {identity: [%], key: {env: P}}}",
        "url: mqtt://user:%@localhost",
        "url: mqtts://user:%@localhost:99999",
        "url: http://user:%@localhost",
        "url: user:%@localhost",
        "url: mqtt://%@local host/%",
        "url: [mqtt://user:%@localhost]",
        "urls: mqtt://user:%@localhost",
        "urls: [mqtt://user:%@localhost, '%']",
        "client_id: \"%\\n\"",
        "keep_alive: \"${SECRET}\"",
        "keep_alive: ${SECRET}",
        "in_flight: \"${SECRET}\"",
        "version: \"${SECRET}\"",
        "metadata: \"${SECRET}\"",
        "maximum_packet_size: \"${SECRET}\"",
        "keep_alive: \"${NOT_SET:-%}\"",
        "will: {topic: \"#${SECRET}\"}",
        "will: {topic: a, retain: \"${SECRET}\"}",
        "tls: {ca_file: \"${SECRET}\"}",
        "username: \"${SECRET}\"\n    password: {file: \"/nowhere/${SECRET}\"}",
    ]

    @Test("no message shows what may be a secret", arguments: broken)
    func broker(line: String) {
        let lines = line.replacing("%", with: Self.marker)
        let url = lines.hasPrefix("url") ? "" : "    url: mqtts://localhost\n"
        let text = "brokers:\n  home:\n\(url)    \(lines)\n"
        let found = problems(text, environment: ["SECRET": Self.marker])
        #expect(!found.isEmpty)
        for problem in found { #expect(!problem.description.contains(Self.marker), "\(line): \(problem)") }
    }

    @Test(
        "no message about routes shows the value of a variable",
        arguments: [
            "- {topic: \"a/${X}/#\", event: e}",
            "- {topic: a, event: \"${X}.*\"}",
            "- {topic: \"a/${X}}\", event: e}",
            "- {topic: a, event: e, broker: \"${X}\"}",
            "- {topic: a, event: e, direction: \"${X}\"}",
            "- {topic: a, event: e, qos: \"${X}\"}",
            "- {topic: a, event: e, durability: \"${X}\"}",
            "- {topic: a, event: e, durability: disk, name: \"${X}\"}",
            "- {topic: a, event: e, durability: disk, ttl: \"${X}\"}",
            "- {topic: a, event: e, durability: disk, policy: \"${X}\"}",
            "- {topic: a, event: e, durability: disk, limits: {messages: \"${X}\", bytes: \"${X}\"}}",
            "- {topic: \"${X}/{a}\", event: e}",
            "- {topic: \"${X}/{a}\", event: \"e.{a}\"}\n- {topic: \"{b}/{a}\", event: \"e.{a}\", name: x}",
            "- {topic: \"{b}/{a}\", event: \"e.{b}.{a}\"}\n- {topic: \"${X}/{a}\", event: \"e.${X}.{a}\"}",
            "- {topic: a, event: \"${X}\"}\n- {topic: a, event: \"${X}\"}",
            "- {topic: a, event: e, name: \"${X}\"}\n- {topic: b, event: f, name: \"${X}\"}",
            "- {topic: \"x/${Y}\", event: a, name: \"${Z}\"}\n- {topic: \"x/${Y}\", event: a, name: \"q\\\"${Z}\"}",
        ]
    )
    func routes(routes: String) {
        let text = "brokers: {home: {url: mqtt://localhost}}\nroutes:\n\(routes)\n"
        let values = ["X": "hunter2", "Y": "zq", "Z": "zqzqzq"]
        let found = problems(text, environment: values)
        #expect(!found.isEmpty)
        for problem in found {
            for value in values.values { #expect(!problem.description.contains(value), "\(problem)") }
        }
    }

    @Test(
        "no message about the store shows the value of a variable",
        arguments: [
            "path: \"${X}/\"", "path: \"~${X}\"", "path: \"${X}\\n\"", "path: \"${Y:-hunter2/}\"",
            "policy: \"${X}\"", "synchronous: \"${X}\"", "on_corrupt: \"${X}\"", "check_at_start: \"${X}\"",
            "dead_letters: \"${X}\"",
            "dead_letter_bytes: \"${X}\"",
            "limits: {messages: \"${X}\"}", "limits: {bytes: \"${X}\"}", "dedupe: {time: \"${X}\"}",
            "dedupe: {count: \"${X}\"}",
        ]
    )
    func store(line: String) {
        let found = problems("brokers: {home: {url: mqtt://h}}\nstore: {\(line)}\n", environment: ["X": "hunter2"])
        #expect(found.count == 1)
        for problem in found { #expect(!problem.description.contains("hunter2"), "\(problem)") }
    }

    @Test("a value that holds braces is not shown piece by piece")
    func braces() {
        let text = "brokers: {home: {url: mqtt://localhost}}\nroutes: [{topic: \"${X}\", event: e}]\n"
        for value in ["a/{hunter2}/b", "{{hunter2", "hunter2}", "{hunter2...}/x", "a/hunter2/#"] {
            let found = problems(text, environment: ["X": value])
            #expect(found.count == 1)
            #expect(found.allSatisfy { !$0.description.contains("hunter2") }, "\(found)")
        }
    }

    @Test("a configuration does not show its secrets when it is printed")
    func printed() throws {
        let text = "brokers: {home: {url: mqtt://h, username: u, password: {value: \"${SECRET}\"}}}"
        let configuration = try BridgeConfiguration(yaml: text, file: "f", environment: ["SECRET": Self.marker])
        var dumped = ""
        dump(configuration, to: &dumped)
        #expect(!dumped.contains(Self.marker))
        #expect(!String(reflecting: configuration).contains(Self.marker))
    }
}
