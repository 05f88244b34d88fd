import MQTTBridgeConfiguration
import Testing

@Suite("Positions")
struct PositionTests {
    private func check(_ route: String, line ending: String = "\n") {
        let marked = "brokers: {é: {url: mqtt://h}}\(ending)routes:\(ending)\(route)"
        let broken = Broken("", marked, says: "", advises: "")
        let found = problems(broken.text)
        #expect(
            found.map(\.place) == Broken.positions(marked.replacing("\r\n", with: "\n").replacing("\r", with: "\n"))
        )
    }

    @Test(
        "columns are counted in Unicode scalars, into the text of a template",
        arguments: [
            "  - topic: a/▸#\n    event: e\n",
            "  - topic: \"a/▸#\"\n    event: e\n",
            "  - topic: 'a/▸#'\n    event: e\n",
            "  - {topic: a/▸#, event: e}\n",
            "  - {event: \"𝄞é\", topic: \"日本/e\u{301}/▸#\"}\n",
            "  - {\"event\":\"e\",\"topic\":\"a/▸#\"}\n",
            "  [ {event: e,\n     topic: a/▸#} ]\n",
            "  - event: e\n    topic:\n      a/▸#\n",
            "  - topic:    a/▸#   # a comment\n    event: e\n",
            "  - ? topic\n    : a/▸#\n    ? event\n    : e\n",
        ]
    )
    func intoTemplates(route: String) {
        check(route)
    }

    @Test(
        "where the file spells a template otherwise than it is read, the column is where the value begins",
        arguments: [
            "  - topic: ▸\"\\u0061/#\"\n    event: e\n",
            "  - topic: ▸'it''s/#'\n    event: e\n",
            "  - topic: ▸|-\n      a/#\n    event: e\n",
            "  - topic: ▸>-\n      a\n      /#\n    event: e\n",
            "  - topic: ▸a\n      /#\n    event: e\n",
            "  - topic: ▸${NO:-x}/#\n    event: e\n",
        ]
    )
    func ofSpelledOtherwise(route: String) {
        check(route)
    }

    @Test("lines end as YAML says", arguments: ["\n", "\r\n", "\r"])
    func lineEnds(ending: String) {
        check("  - topic: a/▸#\(ending)    event: e\(ending)", line: ending)
    }

    @Test("a problem with a key points to the key, one with a value to the value")
    func keysAndValues() {
        let text = "brokers:\n  home:\n    url: mqtts://localhost\n    é: 1\n    queue:\n      - 1\n    tls:\nx: 1\n"
        let found = problems(text)
        #expect(found.map(\.place) == [[4, 5], [6, 7], [7, 5], [8, 1]])
    }

    @Test("an unset variable is found inside a text")
    func variables() {
        let marked = "brokers:\n  h:\n    url: \"é${A:-b}/▸${NOT_SET}\"\n    client_id: 'x▸${NOT_SET}'\n"
        let broken = Broken("", marked, says: "", advises: "")
        #expect(problems(broken.text).map(\.place) == broken.positions)
    }
}
