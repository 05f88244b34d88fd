import Testing

@testable import AsyncEventBus
import TestSupport

@Suite("EventPattern")
struct EventPatternTests {
    @Test(
        "a pattern matches what its documentation says",
        arguments: [
            (
                "climate.kitchen", ["climate.kitchen"],
                ["climate", "climate.kitchen.x", "climate.kitchens", "Climate.kitchen"]
            ),
            (
                "climate.*.temperature", ["climate.kitchen.temperature", "climate..temperature"],
                ["climate.temperature", "climate.a.b.temperature", "climate.kitchen.humidity"]
            ),
            (
                "climate.**", ["climate", "climate.kitchen", "climate.a.b", "climate."],
                ["weather", "climates", ".climate"]
            ),
            ("climate.*.**", ["climate.a", "climate.a.b.c", "climate."], ["climate"]),
            ("**", ["a", "a.b", ".", ".a"], ["$bus.failed", "$"]),
            ("*", ["a", "a%2Eb", "%2A"], ["a.b", ".", "$a"]),
            ("*.*", [".", "a.b", "a.", ".b"], ["a", "a.b.c", "$bus.failed"]),
            ("$bus.**", ["$bus", "$bus.failed"], ["bus.failed", "$other.failed"]),
            ("$bus.*", ["$bus.failed", "$bus."], ["$bus", "$bus.a.b"]),
            ("*.$a", ["a.$a", ".$a"], ["$a.$a"]),
            ("a%2Eb", ["a%2Eb"], ["a.b"]),
            ("%2A", ["%2A"], ["a", "%25"]),
            (".", ["."], ["a.", ".a", ".."]),
            ("caf\u{e9}.*", ["caf\u{e9}.x"], ["cafe\u{301}.x"]),
            ("a.\u{301}b.*", ["a.\u{301}b.x"], ["a.b.x"]),
        ]
    )
    func table(text: String, matching: [String], others: [String]) throws {
        let pattern = try EventPattern(text)
        for name in matching { #expect(pattern.matches(try EventName(name)), "\(name)") }
        for name in others { #expect(!pattern.matches(try EventName(name)), "\(name)") }
    }

    @Test("matching agrees with the definition, on random patterns and names", arguments: Seed.fresh(4))
    func property(seed: Seed) throws {
        var random = seed.random
        for _ in 0..<10_000 {
            let (pattern, name) = (random.pattern(), random.name())
            guard try pattern.eventPattern.matches(name.eventName) == pattern.naivelyMatches(name) else {
                Issue.record("\(pattern) on \(name), \(seed)")
                return
            }
        }
    }

    @Test(
        "what is not a pattern is refused, with the text and what to write instead",
        arguments: ["a*", "*a", "a.**.b", "**.", "***", "a.*b", "%", "a.%2e", "**.**", "a.*\u{301}", "*.%2"]
    )
    func invalid(text: String) throws {
        let error = try #require(throws: EventBusError.self) { try EventPattern(text) }
        #expect(error.code == .invalidPattern)
        #expect(error.operation.contains("\"\(text)\""))
        #expect(error.detail.contains("* must be a whole segment"))
    }

    @Test("a pattern cannot be empty")
    func empty() throws {
        let text = ""
        let error = try #require(throws: EventBusError.self) { try EventPattern(text) }
        #expect(error.code == .invalidPattern)
    }

    @Test("a pattern made from a name matches that name only, and gives it back")
    func exact() throws {
        let name = try #require(EventName(segments: ["a.b", "*", "", "%", "\u{301}"]))
        let pattern = EventPattern(name)
        #expect(pattern.exactName == name)
        #expect(pattern.matches(name))
        #expect(try pattern == EventPattern(name.text))
        #expect(EventPattern("a.*").exactName == nil)
        #expect(EventPattern("**").exactName == nil)
    }

    @Test("patterns are compared by bytes")
    func equality() {
        #expect(EventPattern("\u{e9}.*") != EventPattern("e\u{301}.*"))
        #expect(Set([EventPattern("a.**"), EventPattern("a.**"), EventPattern("a.*")]).count == 2)
        #expect(EventPattern("a.**").description == "a.**")
    }

    @Test("a wrong pattern in the source traps")
    func literal() async {
        await #expect(processExitsWith: .failure) { _ = "a.**.b" as EventPattern }
    }
}
