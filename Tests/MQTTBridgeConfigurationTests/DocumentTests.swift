import Testing

@testable import MQTTBridgeConfiguration

@Suite("Document")
struct DocumentTests {
    @Test("aliases that expand to more than memory holds are refused at once")
    func billionLaughs() {
        var text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
        for level in 1...40 {
            text +=
                "a\(level): &a\(level) [" + Array(repeating: "*a\(level - 1)", count: 10).joined(separator: ",") + "]\n"
        }
        for bomb in [text, text + "? *a40\n: x\n", text + "brokers: *a40\n"] {
            let clock = ContinuousClock()
            var found: [ConfigurationProblem] = []
            let time = clock.measure { found = problems(bomb) }
            #expect(found.map(\.place) == [[1, 5]])
            #expect(found.first?.message == "anchors (&) and aliases (*) are not used here")
            #expect(time < .seconds(5))
        }
    }

    @Test("a few aliases are refused too, each anchor once")
    func fewAliases() {
        let found = problems("brokers:\n  a: &x {url: mqtt://h}\n  b: *x\nroutes: [{topic: t, event: e, broker: a}]")
        #expect(found.map(\.place) == [[2, 6]])
    }

    @Test("ampersands and stars in texts and comments are no anchors and aliases")
    func noAliases() {
        let text = "# *a *b *c *d *e *f &g\nbrokers: {h: {url: mqtt://h, client_id: \"*a &b *c\"}}\n"
        #expect(problems(text.replacing("&g", with: "").replacing("&b", with: "& b")).isEmpty)
    }

    @Test(
        "what is nested too deep is refused, and the stack does not run out",
        arguments: ["[", "{", "{a: ", "[a, ", "- ", "? ", "a:\n ", "!!map {", "&a [", "[{"]
    )
    func depth(opening: String) {
        let most = String(repeating: opening, count: 64 * 1024 / opening.utf8.count)
        for text in ["brokers: " + most, most, String(repeating: opening, count: 900)] {
            #expect(!problems(text).isEmpty)
        }
        let closed = String(repeating: "[", count: 20) + String(repeating: "]", count: 20)
        #expect(problems("x: \(closed)").map(\.message).contains("nested more than 16 deep"))
    }

    @Test("many duplicate keys are one problem in the end, and do not take for ever")
    func manyDuplicates() {
        let text = (0..<100).map { "k\($0): 1\nk\($0): 2\n" }.joined()
        #expect(problems(text).map(\.message) == ["a key is written twice"])
    }

    @Test("a key that is spelled otherwise than it is read is still found twice")
    func escapedDuplicates() {
        let found = problems("brokers: {\"\\u0068\": {url: mqtt://h}, h: {url: mqtt://h}}")
        #expect(found.map(\.message) == ["a key is written twice"])
        #expect(found.map(\.line) == [1])
    }
}
