import MQTTBridgeConfiguration
import TestSupport
import Testing

@Suite("large configurations")
struct ManyMistakesTests {
    private let brokers = "brokers: {home: {url: mqtt://localhost}}\n"

    /// The problems, found in a time that a quadratic search would not keep.
    private func measured(_ what: String, _ text: String, environment: [String: String] = [:]) -> [ConfigurationProblem]
    {
        var found: [ConfigurationProblem] = []
        let time = ContinuousClock().measure { found = problems(text, environment: environment) }
        print("\(what): \(text.utf8.count) bytes read in \(time)")
        #expect(time < .seconds(20).stretched)
        return found
    }

    @Test("8,000 equal routes are told a hundred times, and then counted", arguments: [false, true])
    func equalRoutes(isOneLine: Bool) {
        let route = #"{topic: "home/{room}/temperature", event: "climate.{room}"}"#
        let list = Array(repeating: route, count: 8_000)
        let text =
            brokers
            + (isOneLine ? "routes: [\(list.joined(separator: ", "))]" : "routes:\n- \(list.joined(separator: "\n- "))")
        let found = measured("8,000 equal routes", text)
        #expect(found.count == 101)
        #expect(
            found.last?.description
                == "bridge.yaml: error: \(2 * 7_999 - 100) more mistakes are not shown. Mend the first ones first"
        )
        #expect(found.prefix(100).allSatisfy { $0.line > 0 && !$0.message.isEmpty })
    }

    @Test("4,000 routes of which each half overlaps the other are a hundred mistakes, and the number of the others")
    func overlappingRoutes() {
        let list = (0..<4_000).map { number in
            number.isMultiple(of: 2)
                ? #"{topic: "a\#(number)/{x}", event: "a\#(number).{x}"}"#
                : #"{topic: "{x}/b\#(number)", event: "{x}.b\#(number)"}"#
        }
        let found = measured("4,000 overlapping routes", brokers + "routes:\n- \(list.joined(separator: "\n- "))")
        #expect(found.count == 101)
        // Each with the first of the other half.
        let first = ["route 1 (", "route 2 ("]
        #expect(found.prefix(100).allSatisfy { problem in first.contains { problem.message.contains($0) } })
        #expect(found.last?.description.contains(" \(3_999 - 100) more mistakes are not shown") == true)
    }

    @Test("mistakes of 8,000 routes on one line are placed as fast as they are found")
    func oneLine() {
        let route = #"{topic: "é/+/temperature", event: "climate"}"#
        let text = brokers + "routes: [\(Array(repeating: route, count: 8_000).joined(separator: ","))]"
        let found = measured("8,000 wrong templates", text)
        #expect(found.count == 101)
        #expect(found[1].column - found[0].column == route.unicodeScalars.count + 1)
    }

    @Test("ten thousand captures and ten thousand variables are read once")
    func capturesAndVariables() {
        let numbers = 0..<10_000
        let topic = numbers.map { "{c\($0)}" }.joined(separator: "/")
        let event = numbers.map { "{c\($0)}" }.joined(separator: ".")
        #expect(measured("10,000 captures", brokers + "routes: [{topic: \"\(topic)\", event: \"\(event)\"}]").isEmpty)
        let lacking = measured("10,000 captures apart", brokers + "routes: [{topic: \"\(topic)\", event: \"e\"}]")
        #expect(lacking.count == 101)
        let environment = Dictionary(uniqueKeysWithValues: numbers.map { ("V\($0)", "value-\($0)") })
        let variables = numbers.map { "${V\($0)}" }
        let one = "routes: [{topic: \"\(variables.joined(separator: "/"))\", event: e}]"
        #expect(measured("10,000 variables in a text", brokers + one, environment: environment).isEmpty)
        let routes = variables.map { "{topic: \"t/\($0)/{x}\", event: \"e\"}" }.joined(separator: ", ")
        let many = measured(
            "10,000 variables with a mistake each",
            brokers + "routes: [\(routes)]",
            environment: environment
        )
        #expect(many.count == 101)
        #expect(!many.contains { $0.message.contains("value-") })
    }

    @Test("what the file names cannot turn or hide the text of a mistake")
    func deceitfulNames() {
        let found = problems(
            brokers + "routes: [{name: \"a\u{202E}\u{200B}b\", topic: t, event: e, broker: \"x\u{202E}y\"}]"
        )
        #expect(found.count == 1)
        #expect(
            found.allSatisfy {
                !$0.description.unicodeScalars.contains("\u{202E}") && $0.description.contains("\\u{202e}")
            }
        )
    }
}
