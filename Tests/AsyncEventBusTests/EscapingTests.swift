import Testing

@testable import AsyncEventBus
import TestSupport

@Suite("Escaping")
struct EscapingTests {
    @Test(
        "dot, star and percent are spelled in one way, all else as it is",
        arguments: [
            ("", ""), ("plain", "plain"), (".", "%2E"), ("*", "%2A"), ("%", "%25"), ("%2E", "%252E"),
            ("a.b*c%", "a%2Eb%2Ac%25"), ("/", "/"), ("$sys", "$sys"), (".\u{301}", "%2E\u{301}"), ("\0", "\0"),
        ]
    )
    func spelling(text: String, spelled: String) {
        #expect(Array(Escaping.escaped(text).utf8) == Array(spelled.utf8))
        #expect(Array(Escaping.unescaped(spelled[...]).utf8) == Array(text.utf8))
        #expect(Escaping.isCanonical(spelled.utf8))
    }

    @Test(
        "what has another spelling is not canonical",
        arguments: ["*", "a*", "%", "%2", "a%", "%2e", "%2a", "%2F", "%24", "%41", "%%", "%%25", "%2\u{301}E", "%2%45"]
    )
    func otherSpellings(text: String) {
        #expect(!Escaping.isCanonical(text.utf8))
    }

    @Test("every text survives being spelled and read, byte by byte", arguments: Seed.fresh(4))
    func roundTrip(seed: Seed) {
        var random = seed.random
        for _ in 0..<3_000 {
            let text = random.text()
            let spelled = Escaping.escaped(text)
            guard Escaping.isCanonical(spelled.utf8), !spelled.utf8.contains(UInt8(ascii: ".")),
                Array(Escaping.unescaped(spelled[...]).utf8) == Array(text.utf8)
            else {
                Issue.record("\(text.debugDescription) spelled \(spelled.debugDescription), \(seed)")
                return
            }
        }
    }
}
