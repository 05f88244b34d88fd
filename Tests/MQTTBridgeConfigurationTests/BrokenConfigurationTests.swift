import MQTTBridgeConfiguration
import Testing

@Suite("Broken configurations")
struct BrokenConfigurationTests {
    @Test(
        "a mistake is reported where it is, with what is wrong and how to mend it",
        arguments: Broken.brokers + Broken.logins + Broken.routing + Broken.durability + Broken.syntax
    )
    func place(broken: Broken) {
        let found = problems(broken.text)
        #expect(found.map(\.place) == broken.positions, "\(found)")
        #expect(found.first?.message.contains(broken.message) == true, "\(found)")
        #expect(found.first?.advice.contains(broken.advice) == true, "\(found)")
    }

    @Test("a problem is one line with file, line, column, message and advice")
    func form() throws {
        let text = "brokers:\n  home:\n    url: mqtt://localhost\n    keep_alive: 30\n"
        let problem = try #require(problems(text, file: "/etc/a b.yaml").first)
        #expect(
            problem.description == "/etc/a b.yaml:4:17: error: \"keep_alive\" has no unit. "
                + "Write a whole number and a unit (ms, s, m, h or d), as in keep_alive: 30s"
        )
    }

    @Test("all mistakes of a file are reported at once, in order")
    func allAtOnce() {
        let marked = """
            brokers:
              home:
                url: ▸http://localhost
                ▸keepalive: 30s
                version: ▸6
                username: bridge
                password: ▸secret
                ▸username: other
              ▸broken: {}
            routes:
              - {topic: "a/▸#", event: a, broker: home}
              - {topic: "b/{x}", event: ▸"b", broker: home}
              - {topic: c, event: c, broker: ▸nobody, qos: ▸one}
              - {topic: d, event: d, broker: home, direction: in, name: d1}
              - {topic: ▸d, event: d, broker: home, direction: in, name: d2}
              - {topic: "e/▸+", event: e, broker: home, policy: ▸drop}
            limits: {hops: ▸none}
            ▸limit: {}
            store: {▸paths: x, policy: ▸drop, dedupe: {count: ▸0}}
            """
        let broken = Broken("", marked, says: "", advises: "")
        #expect(problems(broken.text).map(\.place) == broken.positions)
    }

    @Test("a route that cannot be read does not change the numbers of the others")
    func numbering() throws {
        let found = problems(
            """
            brokers: {home: {url: mqtt://localhost}}
            routes:
              - {topic: "#", event: a}
              - {topic: b, event: b, name: x}
              - {topic: c, event: c, name: x}
              - {topic: "{all...}", event: "all.{all...}"}
            """
        )
        #expect(found.map(\.line) == [3, 5])
        #expect(found.last?.message.contains("route 2") == true)
    }

    @Test("keys of the same name are mistakes but for the first, whatever quotes they have, and hide no others")
    func duplicates() {
        let marked = """
            brokers:
              é: {url: mqtt://a, version: 5, ▸"url": mqtt://b}
              ▸é: {url: mqtt://a}
              ▸'é': {url: mqtt://a}
            ▸brokers: {x: {url: mqtt://a}}
            """
        let broken = Broken("", marked, says: "", advises: "")
        let found = problems(broken.text)
        #expect(found.allSatisfy { $0.message.contains("twice") })
        // The first `brokers` is given up for the later one, and what is in it is not looked at.
        #expect(found.map(\.place) == broken.positions.suffix(1))
        let alone = broken.text.split(separator: "\n").dropLast().joined(separator: "\n")
        #expect(problems(alone).map(\.place) == Array(broken.positions.dropLast()))
    }
}
