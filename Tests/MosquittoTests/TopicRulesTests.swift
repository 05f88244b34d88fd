import Testing

@testable import Mosquitto

@Suite("TopicRules")
struct TopicRulesTests {
    /// Code points that are no characters, which Swift does not take in a literal.
    static let noncharacters = [0xFDD0, 0xFDEF, 0xFFFE, 0xFFFF, 0x1FFFE, 0x10FFFF].compactMap {
        Unicode.Scalar(UInt32($0))
    }
    .map { "a/\($0)" }

    /// What neither a topic nor a filter may be (F16).
    static let illegalText: [String] =
        [
            "", String(repeating: "x", count: 65_536), String(repeating: "ä", count: 32_768),
            String(repeating: "/", count: 201), "a\0b", "\0", "a\nb", "\u{1}", "a\u{1F}", "\u{7F}", "a\u{80}", "\u{9F}",
        ] + noncharacters

    /// What both may be.
    static let legalText: [String] = [
        "a", "/", "//", "/a", "a/", "a//b", " ", "a b", "ä/€/😀", "\u{FEFF}a", "\u{A0}", "$SYS/x", ".", "*", "%",
        "\u{FDCF}", "\u{FDF0}", "\u{FFFD}", "\u{10FFFD}", "e\u{301}", "/\u{301}", String(repeating: "x", count: 65_535),
        String(repeating: "/", count: 200),
    ]

    @Test("a topic that no broker should see is refused here", arguments: illegalText)
    func illegalTopic(_ topic: String) throws {
        let error = try #require(throws: ClientError.self) { try TopicRules.check(topic: topic) }
        #expect(error.code == .invalidTopic)
        #expect(!error.isRetriable)
        #expect(error.description.count < 600, "a long topic is cut")
        #expect(!error.description.unicodeScalars.contains { $0.properties.generalCategory == .control })
    }

    @Test("wildcards are no part of a topic", arguments: ["+", "#", "a/+", "a/#", "a+b", "+\u{301}", "a#\u{20DD}/b"])
    func wildcards(_ topic: String) throws {
        let error = try #require(throws: ClientError.self) { try TopicRules.check(topic: topic) }
        #expect(error.code == .invalidTopic)
    }

    @Test("a legal topic passes", arguments: legalText)
    func legalTopic(_ topic: String) {
        #expect(throws: Never.self) { try TopicRules.check(topic: topic) }
    }

    @Test("a filter follows the rules of topics", arguments: illegalText)
    func illegalFilterText(_ filter: String) throws {
        let error = try #require(throws: ClientError.self) { try TopicRules.check(filter: filter) }
        #expect(error.code == .invalidTopic)
    }

    @Test(
        "a wildcard that is not a whole level, and # before the last, are refused",
        arguments: [
            "a+", "+a", "a/b+/c", "a#", "#a", "#/", "#/a", "a/#/b", "##", "++", "+#", "a/#+", "+\u{301}", "#\u{301}",
            "a/+\u{20DD}/b", "#/\u{301}",
        ]
    )
    func illegalFilter(_ filter: String) throws {
        let error = try #require(throws: ClientError.self) { try TopicRules.check(filter: filter) }
        #expect(error.code == .invalidTopic)
    }

    @Test(
        "a legal filter passes",
        arguments: legalText + ["#", "+", "+/+", "a/#", "a/+/b", "+/a/#", "/#", "/+", "+/", "$share/g/a/#", "$SYS/#"]
    )
    func legalFilter(_ filter: String) {
        #expect(throws: Never.self) { try TopicRules.check(filter: filter) }
    }
}
