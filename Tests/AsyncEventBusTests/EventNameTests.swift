import Testing

@testable import AsyncEventBus
import TestSupport

@Suite("EventName")
struct EventNameTests {
    @Test("every list of segments has a name that gives the list back, byte by byte", arguments: Seed.fresh(4))
    func segmentsRoundTrip(seed: Seed) throws {
        var random = seed.random
        for _ in 0..<2_000 {
            let segments = (0..<random.below(6)).map { _ in random.text() }
            guard let name = EventName(segments: segments) else {
                #expect(segments == [] || segments == [""], "\(seed)")
                continue
            }
            let again = try EventName(name.text)
            guard name.segments.map({ Array($0.utf8) }) == segments.map({ Array($0.utf8) }),
                again == name, again.hashValue == name.hashValue, again.segments == name.segments
            else {
                Issue.record("\(segments) became \(name.text.debugDescription) and \(name.segments), \(seed)")
                return
            }
        }
    }

    @Test("every valid spelling is that of its segments", arguments: Seed.fresh(4))
    func spellingRoundTrip(seed: Seed) throws {
        var random = seed.random
        for _ in 0..<2_000 {
            let spelling = Self.spelling(&random)
            guard !spelling.isEmpty else { continue }
            let name = try EventName(spelling)
            let again = try #require(EventName(segments: name.segments), "\(seed)")
            guard Array(again.text.utf8) == Array(spelling.utf8), again == name else {
                Issue.record("\(spelling.debugDescription) became \(again.text.debugDescription), \(seed)")
                return
            }
        }
    }

    @Test("a star or a lone percent anywhere makes a spelling invalid", arguments: Seed.fresh(4))
    func spoiltSpelling(seed: Seed) {
        var random = seed.random
        for _ in 0..<1_000 {
            var scalars = Array(Self.spelling(&random).unicodeScalars)
            scalars.insert(random.pick(["*", "%"]), at: random.below(scalars.count + 1))
            let spoilt = String(String.UnicodeScalarView(scalars))
            guard (try? EventName(spoilt)) == nil else {
                Issue.record("\(spoilt.debugDescription) is taken for a name, \(seed)")
                return
            }
        }
    }

    /// Joins pieces none of which begins with what may follow a percent sign.
    private static func spelling(_ random: inout SplitMix64) -> String {
        let pieces = [
            "a", ".", ".", "%2E", "%2A", "%25", "\u{e9}", "e\u{301}", "\u{301}", "/", "$", "\0", "\u{1f600}", "\r",
        ]
        return (0..<random.below(10)).map { _ in random.pick(pieces) }.joined()
    }

    @Test(
        "what is not a spelling is refused, with the text and what to write instead",
        arguments: ["*", "a*b", "a.*", "a.**", "**", "%", "%2", "%2e", "%2F", "a.%", "%%25", "a.%2\u{301}E", "%E9"]
    )
    func invalid(text: String) throws {
        let error = try #require(throws: EventBusError.self) { try EventName(text) }
        #expect(error.code == .invalidName)
        #expect(error.operation.contains("\"\(text)\""))
        #expect(error.detail.contains("%2A for *"))
    }

    @Test("a name cannot be empty, and a name of empty segments can")
    func empty() throws {
        let text = ""
        let error = try #require(throws: EventBusError.self) { try EventName(text) }
        #expect(error.code == .invalidName)
        #expect(EventName(segments: [String]()) == nil)
        #expect(EventName(segments: [""]) == nil)
        #expect(EventName(segments: ["", ""])?.text == ".")
        #expect(EventName("..").segments == ["", "", ""])
    }

    @Test("a dot is a dot, whatever mark follows it")
    func combiningMarkAfterDot() {
        let name = EventName("a.\u{301}b")
        #expect(name.segments.map { Array($0.utf8) } == [Array("a".utf8), Array("\u{301}b".utf8)])
    }

    @Test("names that only look the same are two names")
    func canonicalEquivalence() {
        let one = EventName("caf\u{e9}")
        let other = EventName("cafe\u{301}")
        #expect(one.text == other.text)
        #expect(one != other)
        #expect(Set([one, other]).count == 2)
    }

    @Test("equal names hash equally, however they were made")
    func equality() throws {
        let text = "a.b%2Ec.d"
        let spelled = try EventName(text)
        let made = try #require(EventName(segments: ["a", "b.c", "d"][...]))
        let literal: EventName = "a.b%2Ec.d"
        #expect(spelled == made && made == literal)
        #expect(Set([spelled, made, literal]).count == 1)
        #expect(spelled.description == "a.b%2Ec.d")
    }

    @Test("a name is reserved when it begins with a dollar sign", arguments: [("$bus.failed", true), ("a.$", false)])
    func reserved(text: String, isReserved: Bool) throws {
        #expect(try EventName(text).isReserved == isReserved)
    }

    @Test("a wrong name in the source traps")
    func literal() async {
        await #expect(processExitsWith: .failure) { _ = "a.*" as EventName }
    }

    @Test("a value in a literal is text within one segment, whatever it holds", arguments: Seed.fresh(4))
    func interpolation(seed: Seed) {
        var random = seed.random
        for _ in 0..<1_000 {
            let value = random.text()
            let name: EventName = "pump.\(value).state"
            guard name.segments.map({ Array($0.utf8) }) == ["pump", value, "state"].map({ Array($0.utf8) }) else {
                Issue.record("\(value.debugDescription) became \(name.text.debugDescription), \(seed)")
                return
            }
        }
        #expect("meter.\(7)-\(true)" as EventName == "meter.7-true")
        #expect(("a.\("")" as EventName).segments == ["a", ""])
    }

    @Test("a literal of values only is a programmer's mistake, whatever the values")
    func onlyValues() async {
        await #expect(processExitsWith: .failure) { _ = "\(7)" as EventName }
    }
}
