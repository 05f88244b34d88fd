import Foundation
import MessageStore
import TestSupport
import Testing

@testable import SQLiteStore

@Suite("The header of a store")
struct StoreHeaderTests {
    private let header: [UInt8]

    init() throws {
        let folder = try TemporaryDirectory()
        let path = folder.file("store.db")
        try SQLiteStore.open(.init(path: path)).close()
        header = Array(try Data(contentsOf: URL(filePath: path)).prefix(StoreHeader.length))
    }

    private func isForeign(_ bytes: some Sequence<UInt8>, marked: Bool = true) -> Bool {
        if case .foreign = StoreHeader(Array(bytes)).kind(isMarked: marked) { return true }
        return false
    }

    @Test("up to four flipped bits do not make a store something else", arguments: Seed.fresh(1))
    func flips(_ seed: Seed) {
        var random = seed.random
        #expect(StoreHeader(header).kind(isMarked: false) == .store)
        for _ in 0..<1_000 {
            var harmed = header
            for _ in 0..<4 { harmed[random.below(100)] ^= UInt8(1) << random.below(8) }
            #expect(!isForeign(harmed, marked: false), "\(seed)")
        }
    }

    @Test(
        "the database of another program, text and noise were never a store, whatever lies beside",
        arguments: Seed.fresh(1)
    )
    func foreign(_ seed: Seed) {
        var random = seed.random
        for application: [UInt8] in [[0, 0, 0, 0], [0x0F, 0x05, 0x51, 0x12], Array("MQTC".utf8)] {
            let other = header[..<68] + application + header[72...]
            // One flipped bit in the field is damage.
            #expect(isForeign(other) == (application != Array("MQTC".utf8)))
        }
        #expect(isForeign(Array("# Not a database, but a text of some length.\n".utf8)))
        for _ in 0..<1_000 {
            // Less could be the beginning of a store.
            #expect(isForeign((0..<(10 + random.below(90))).map { _ in UInt8(1 + random.below(255)) }), "\(seed)")
        }
    }

    @Test("where the bytes cannot say what they were, what lies beside decides")
    func marks() {
        for bytes in [[], [UInt8](repeating: 0, count: 100), Array(header.prefix(40))] {
            #expect(isForeign(bytes, marked: false) && !isForeign(bytes, marked: true))
        }
        #expect(!isForeign(header.prefix(80), marked: false))
    }
}
