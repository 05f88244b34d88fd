import Testing

@testable import AsyncEventBus

@Suite("Payload")
struct PayloadTests {
    @Test("text comes back as it went in, byte by byte", arguments: ["", "21.5", "e\u{301}\0\u{1f600}"])
    func text(text: String) throws {
        let read = try #require(Payload(text).text)
        #expect(Array(read.utf8) == Array(text.utf8))
        #expect(Payload(text).bytes == Array(text.utf8))
    }

    @Test(
        "bytes that are not UTF-8 have no text",
        arguments: [[0xff], [0xc3], [0xed, 0xa0, 0x80], [0xc0, 0x80]] as [[UInt8]]
    )
    func notText(bytes: [UInt8]) {
        #expect(Payload(bytes).text == nil)
        #expect(Payload(bytes).bytes == bytes)
    }

    @Test("a payload can be written in the source")
    func literals() {
        #expect("a\(1)" as Payload == Payload([0x61, 0x31]))
        #expect(Payload.empty == "")
    }

    @Test("a payload takes any sequence of bytes")
    func sequences() {
        #expect(Payload([1, 2, 3].dropFirst()).bytes == [2, 3])
        #expect(Payload("ab".utf8).bytes == [0x61, 0x62])
    }
}
