import MQTTBridgeConfiguration
import Testing

@Suite("Large files")
struct LoadTests {
    private func report(_ name: String, routes: Int, _ line: (Int) -> String) -> [ConfigurationProblem] {
        let text =
            "brokers: {home: {url: mqtt://localhost}}\nroutes:\n" + (0..<routes).map(line).joined(separator: "\n")
        var found: [ConfigurationProblem] = []
        let time = ContinuousClock().measure { found = problems(text) }
        print("\(name): \(routes) routes, \(text.utf8.count) bytes, \(found.count) problems, \(time)")
        return found
    }

    @Test("10,000 routes load")
    func many() {
        let found = report("sound") { number in
            "- {topic: \"site/\(number)/{room}/t\", event: \"climate.\(number).{room}\", name: r\(number)}"
        }
        #expect(found.isEmpty)
    }

    @Test("10,000 broken routes are a hundred problems, and the number of the others")
    func manyBroken() {
        let found = report("broken") { "- {topic: \"site/\($0)/#\", event: \"climate.\($0)\", name: r\($0)}" }
        #expect(found.map(\.line) == Array(3..<103) + [0])
        #expect(found.last?.message == "9900 more mistakes are not shown")
    }

    @Test("10,000 routes with a variable each and only two names, are 9,998 problems in all")
    func manyVariables() {
        let found = report("variables") {
            "- {topic: \"${A:-site}/\($0)\", event: \"climate.\($0)\", name: \"${N:-x\($0 % 2)}\"}"
        }
        #expect(found.count == 101)
        #expect(found.last?.message == "9898 more mistakes are not shown")
    }

    private func report(_ name: String, _ line: (Int) -> String) -> [ConfigurationProblem] {
        report(name, routes: 10_000, line)
    }
}
