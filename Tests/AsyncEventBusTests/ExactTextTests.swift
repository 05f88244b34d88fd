import Testing

@testable import AsyncEventBus

@Suite("Exact text")
struct ExactTextTests {
    @Test("texts are the same when their bytes are")
    func bytes() {
        #expect("\u{e9}" == "e\u{301}")
        #expect(!"\u{e9}".hasSameBytes(as: "e\u{301}"))
        #expect("\u{e9}".hasSameBytes(as: "\u{e9}"))
        #expect(!"a".hasSameBytes(as: "ab"))
        #expect("".hasSameBytes(as: ""))
    }

    @Test("a segment equals another of the same bytes, wherever each was cut out")
    func segmentKeys() {
        let cut = "left.a segment longer than a small string.right".segmentsBetweenDots[1]
        #expect(SegmentKey(cut) == SegmentKey("a segment longer than a small string"))
        #expect(SegmentKey(cut).hashValue == SegmentKey("a segment longer than a small string").hashValue)
        #expect(SegmentKey("\u{e9}") != SegmentKey("e\u{301}"))
        #expect(Set([SegmentKey("x"), SegmentKey("y"), SegmentKey("x")]).count == 2)
    }

    @Test("a dot separates even where it is one character with what follows")
    func splitting() {
        #expect(".a\u{301}..\u{301}b".segmentsBetweenDots.map(\.utf8.count) == [0, 3, 0, 3])
        #expect("".segmentsBetweenDots == [""])
    }
}
