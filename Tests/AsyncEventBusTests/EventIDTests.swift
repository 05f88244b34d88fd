import Testing

@testable import AsyncEventBus

@Suite("EventID")
struct EventIDTests {
    @Test("a number that comes back as text is the number", arguments: [0, 17, UInt64.max])
    func number(sequence: UInt64) {
        let counted = EventID(source: "here", sequence: sequence)
        let read = EventID(source: "here", tag: counted.tag)
        #expect(read == counted)
        #expect(read.hashValue == counted.hashValue)
        #expect(read.description == "here/\(sequence)")
    }

    @Test(
        "a text that is not the one spelling of a number stays as it is",
        arguments: ["017", "+17", "-0", "", " 17", "18446744073709551616", "1e3", "\u{661}", "0x11"]
    )
    func text(tag: String) {
        let id = EventID(source: "here", tag: tag)
        #expect(id.tag == tag)
        #expect(id != EventID(source: "here", sequence: 17))
        #expect(id == EventID(source: "here", tag: tag))
    }

    @Test("the source tells apart what has the same tag")
    func source() {
        #expect(EventID(source: "a", tag: "1") != EventID(source: "b", tag: "1"))
    }
}
