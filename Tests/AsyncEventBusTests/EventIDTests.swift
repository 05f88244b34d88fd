import Testing

@testable import AsyncEventBus

@Suite("EventID")
struct EventIDTests {
    @Test("the tag of an emit that comes back as text is the tag", arguments: [0, 17, 999_999_999, UInt64.max])
    func number(sequence: UInt64) {
        let counted = EventID(source: "here", sequence: sequence)
        let read = EventID(source: "here", tag: counted.tag)
        #expect(read == counted)
        #expect(read.hashValue == counted.hashValue)
        #expect(read.isTagOurs)
        #expect(read.description == "here/\(counted.tag)")
        #expect(counted.numberedText == read.description)
        #expect(counted.tag.hasPrefix("\(sequence)-"))
        #expect(counted.tag.utf8.count == "\(sequence)".utf8.count + 6)
    }

    @Test("a tag that nobody here has given is a text, however much it looks like one")
    func forged() {
        let tag = EventID(source: "here", sequence: 17).tag
        var forgeries = ["17", "0\(tag)", "+\(tag)", " \(tag)", "\(tag) ", "17-", "-", "", "\(tag)\u{301}"]
        forgeries += [
            tag.replacing("17-", with: "18-"), tag.replacing("17-", with: "017-"), "99999999999999999999\(tag)",
        ]
        for forgery in forgeries {
            let id = EventID(source: "here", tag: forgery)
            #expect(!id.isTagOurs, "\(forgery)")
            #expect(Array(id.tag.utf8) == Array(forgery.utf8))
            #expect(id == EventID(source: "here", tag: forgery))
            for number in [17, 18] as [UInt64] { #expect(id != EventID(source: "here", sequence: number)) }
        }
    }

    @Test("tags of numbers that follow one another do not tell the next one")
    func proofs() {
        let proofs = (0..<4_096).map { EventID(source: "", sequence: $0).tag.suffix(5) }
        // Of 2^30, by chance some eight of 4,096 come twice at most.
        #expect(Set(proofs).count > 4_080)
        for position in 0..<5 {
            let letters = Set(proofs.map { Array($0.utf8)[position] })
            #expect(letters.count == 64, "every letter comes at every place")
        }
    }

    @Test(
        "a text that is no tag of ours stays as it is",
        arguments: ["017", "+17", "-0", "", " 17", "18446744073709551616", "1e3", "\u{661}", "0x11", "17"]
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
