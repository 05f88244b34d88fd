import Testing
import TestSupport

@Suite("PacketScanner")
struct PacketScannerTests {
    /// CONNECT of 4 bytes, PUBLISH of 203 bytes (its length takes two), PUBACK of 4 bytes.
    private let stream: [UInt8] =
        [0x10, 2, 0, 0] + [0x32, 0xC8, 0x01] + [UInt8](repeating: 0x40, count: 200) + [0x40, 2, 0, 1]

    @Test("packets are counted by type, however the bytes are divided", arguments: [1, 2, 3, 7, 50, 1_000])
    func counts(piece: Int) {
        var scanner = PacketScanner()
        var rest = stream[...]
        while !rest.isEmpty {
            let (passed, isCut) = scanner.scan(rest.prefix(piece), cut: nil)
            #expect(passed == min(piece, rest.count) && !isCut)
            rest = rest.dropFirst(piece)
        }
        #expect(scanner.finished == [1: 1, 3: 1, 4: 1])
    }

    @Test(
        "a cut comes after exactly so many bytes of the packet, or at its end",
        arguments: [(1, 5), (2, 6), (3, 7), (4, 8), (202, 206), (203, 207), (999, 207)],
        [1, 3, 1_000]
    )
    func cuts(_ place: (bytes: Int, position: Int), piece: Int) {
        var scanner = PacketScanner()
        var rest = stream[...]
        var total = 0
        while !rest.isEmpty {
            let (passed, isCut) = scanner.scan(rest.prefix(piece), cut: .init(.publish, bytes: place.bytes))
            total += passed
            if isCut {
                #expect(total == place.position)
                return
            }
            rest = rest.dropFirst(piece)
        }
        Issue.record("no cut")
    }

    @Test("a cut that is asked for in the middle of a packet waits for the next one of its type")
    func middle() {
        var scanner = PacketScanner()
        #expect(scanner.scan(stream[..<20], cut: nil) == (20, false))
        let rest = stream[20...] + [0x32, 3, 0, 0, 0]
        #expect(scanner.scan(rest, cut: .init(.publish, bytes: 2)) == (rest.count - 3, true))
    }

    @Test("a packet without a body ends with its header")
    func empty() {
        var scanner = PacketScanner()
        #expect(scanner.scan([0xC0, 0, 0xD0, 0], cut: nil) == (4, false))
        #expect(scanner.finished == [12: 1, 13: 1])
    }
}
