import Testing

@testable import MQTTBridge
import TestSupport

@Suite("Template")
struct TemplateTests {
    private func read(_ text: String) throws -> Template {
        try Template(text, separator: "/") { .success($0) }
    }

    @Test(
        "parts between separators are literals, captures or the rest",
        arguments: [
            ("home", [.literal("home")]),
            ("home/{room}/t", [.literal("home"), .capture("room"), .literal("t")]),
            ("{a}/{B_2}", [.capture("a"), .capture("B_2")]),
            ("{_}", [.capture("_")]),
            ("{rest...}", [.rest("rest")]),
            ("a/{rest...}", [.literal("a"), .rest("rest")]),
            ("/", [.literal(""), .literal("")]),
            ("/a/", [.literal(""), .literal("a"), .literal("")]),
            ("{{", [.literal("{")]),
            ("{{a}}/b", [.literal("{a}"), .literal("b")]),
            ("{{a/b}}", [.literal("{a"), .literal("b}")]),
            ("x{{y}}{{", [.literal("x{y}{")]),
            ("a/\u{301}b", [.literal("a"), .literal("\u{301}b")]),
        ] as [(String, [Template.Part])]
    )
    func good(text: String, parts: [Template.Part]) throws {
        let template = try read(text)
        // Scalars, since `==` on strings is by canonical equivalence.
        #expect(template.parts == parts)
        #expect(template.text == text)
    }

    @Test(
        "what is no template is refused with the place, the reason and a mend",
        arguments: [
            ("", 0, "it is empty"),
            ("{}", 0, "{} is not a capture"),
            ("a/{ b}", 2, "{ b} is not a capture"),
            ("a/{1b}", 2, "{1b} is not a capture"),
            ("a/{b-c}", 2, "{b-c} is not a capture"),
            ("a/{é}", 2, "{é} is not a capture"),
            ("a/{...}", 2, "{...} is not a capture"),
            ("a/{b..}", 2, "{b..} is not a capture"),
            ("a/x{b}", 2, "\"x{b}\" has a brace inside"),
            ("a/{b}x", 2, "\"{b}x\" has a brace inside"),
            ("a/{b", 2, "\"{b\" has a brace inside"),
            ("a/b}", 2, "\"b}\" has a brace inside"),
            ("{{{a}}}", 0, "\"{{{a}}}\" has a brace inside"),
            ("a/{b/c}", 2, "{b/c} is not a capture"),
            ("{\u{301}a}", 0, "{\u{301}a} is not a capture"),
            ("{a}/b/{a}", 6, "{a} stands there twice"),
            ("{a}/{a...}", 4, "{a} stands there twice"),
            ("{a...}/b", 0, "{a...} is not last"),
            ("é/{a...}/{b...}", 2, "{a...} is not last"),
        ]
    )
    func bad(text: String, offset: Int, message: String) {
        let error = #expect(throws: TemplateError.self) { try self.read(text) }
        #expect(error?.offset == offset)
        #expect(error?.message == message)
        #expect(error?.advice.isEmpty == false)
        #expect(error?.description.contains("character \(offset + 1)") == true)
    }

    @Test("the dots of {rest...} separate nothing, other dots do")
    func dotsInsideBraces() throws {
        let template = try Template("a.{rest...}", separator: ".") { .success($0) }
        #expect(template.parts == [.literal("a"), .rest("rest")])
        #expect(template.captures == ["rest"])
        #expect(template.hasRest)
        #expect(try Template("a.{b}.c", separator: ".") { .success($0) }.hasRest == false)
    }

    @Test("any text is read or refused, and none traps", arguments: Seed.fresh(1))
    func fuzz(seed: Seed) {
        var random = seed.random
        for _ in 0..<3_000 {
            let text = String(decoding: random.bytes(random.below(12), from: "{}/.ab1_*%+#$"), as: UTF8.self)
            _ = try? TopicTemplate(text)
            _ = try? EventTemplate(text)
            _ = try? TopicTemplate(random.topic())
        }
    }
}
