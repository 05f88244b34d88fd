import Testing

@testable import AsyncEventBus
@testable import MQTTBridge

@Suite("TopicTemplate and EventTemplate")
struct TopicTemplateTests {
    @Test(
        "a filter asks for the topics of a template",
        arguments: [
            ("home/{room}/t", "home/+/t"), ("{all...}", "#"), ("a/{rest...}", "a/#"), ("{a}", "+"), ("/{a}", "/+"),
            ("a.b/*/%", "a.b/*/%"), ("$SYS/{rest...}", "$SYS/#"), ("{{x}}", "{x}"),
        ]
    )
    func filters(text: String, filter: String) throws {
        #expect(try TopicTemplate(text).filter == filter)
    }

    @Test(
        "what MQTT does not allow in a topic is refused with a mend",
        arguments: [
            ("a/+/b", 2, "+ and # are not used in templates"),
            ("a/#", 2, "+ and # are not used in templates"),
            ("a+b", 0, "+ and # are not used in templates"),
            ("a/b\0", 2, "holds the NUL character"),
            ("\u{1}", 0, "holds a control character"),
            ("a/\u{ffff}", 2, "holds a code point that is not a character"),
            (String(repeating: "x", count: 65_536), 0, "longer than 65535 bytes"),
        ]
    )
    func badTopics(text: String, offset: Int, message: String) {
        let error = #expect(throws: TemplateError.self) { try TopicTemplate(text) }
        #expect(error?.offset == offset)
        #expect(error?.message == message)
        #expect(error?.advice.isEmpty == false)
    }

    @Test(
        "a literal of an event is spelled as in a name",
        arguments: [
            ("a%2Eb.c", ["a.b", "c"]), ("%2A.%25", ["*", "%"]), ("{{x}}.y", ["{x}", "y"]), ("a/b", ["a/b"]),
            (".\u{301}", ["", "\u{301}"]),
        ]
    )
    func eventLiterals(text: String, literals: [String]) throws {
        let template = try EventTemplate(text).template
        #expect(template.parts.map { ExactText("\($0)") } == literals.map { ExactText("\(Template.Part.literal($0))") })
    }

    @Test("what is no segment of a name is refused with a mend", arguments: ["a.*", "a.b*", "a.%", "a.%2e", "a.**"])
    func badEvents(text: String) {
        let error = #expect(throws: TemplateError.self) { try EventTemplate(text) }
        #expect(error?.offset == 2)
        #expect(error?.advice.contains("%2A") == true)
    }

    @Test("only a literal $ at the beginning is reserved, whatever combines with it")
    func reserved() {
        #expect(TopicTemplate("$SYS/{a...}").isReserved)
        #expect(TopicTemplate("$\u{301}x").isReserved)
        #expect(!TopicTemplate("a/$x").isReserved)
        #expect(!TopicTemplate("{a}/$x").isReserved)
    }

    @Test("the levels of a topic are what stands between slashes, by bytes")
    func levels() {
        #expect(TopicTemplate.levels(of: "a//b/") == ["a", "", "b", ""])
        #expect(TopicTemplate.levels(of: "/").count == 2)
        #expect(TopicTemplate.levels(of: "a/\u{301}b").count == 2)
        #expect(TopicTemplate.name(ofTopic: "a.b/c*")?.text == "a%2Eb.c%2A")
    }

    @Test("templates can be written as literals, and print as they are written")
    func literals() {
        let topic: TopicTemplate = "a/{b}"
        let event: EventTemplate = "a.{b}"
        #expect(topic.description == "a/{b}")
        #expect(event.description == "a.{b}")
        #expect(event.pattern == "a.*")
        #expect(("{r...}" as EventTemplate).pattern == "**")
    }
}
