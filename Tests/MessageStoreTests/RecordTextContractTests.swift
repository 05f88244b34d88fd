import MessageStore
import StoreTesting
import Testing

@Suite("Message store contract: what a message says")
struct RecordTextContractTests {
    @Test("texts of any length are read as they were committed", arguments: StoreKind.allCases)
    func lengths(_ kind: StoreKind) throws {
        try kind.withStore { store in
            let lengths = [0, 1, 127, 128, 4_000, 4_100, 16_383, 16_384, 65_535, 3_000_000]
            let records = lengths.enumerated().map { place, length in
                var record = InboundRecord.sample(Int64(place + 1))
                let text = String(repeating: "ü", count: length / 2) + (length % 2 == 0 ? "" : "x")
                switch place % 4 {
                case 0: record.topic = text
                case 1: record.details = text
                case 2: record.event = text
                default: (record.source, record.tag) = (text, text)
                }
                return record
            }
            try store.commit(.with { $0.arrivals = records })
            #expect(try store.inbound(after: 0, limit: 99, bytes: .max).map(\.record) == records)
        }
    }

    @Test("messages that differ in route, broker or listeners only are told apart", arguments: StoreKind.allCases)
    func envelopes(_ kind: StoreKind) throws {
        try kind.withStore { store in
            var records = (1...12).map { InboundRecord.sample(Int64($0)) }
            for position in records.indices {
                if position % 2 == 1 { records[position].route = "caf\u{E9}" }
                if position % 3 == 1 { records[position].broker = "cafe\u{301}" }
                if position % 4 == 1 { records[position].listeners.reverse() }
            }
            try store.commit(
                .with {
                    $0.arrivals = Array(records.prefix(7)); $0.life = .began
                }
            )
            _ = try store.recover()
            try store.commit(.with { $0.arrivals = Array(records.dropFirst(7)) })
            let entries = try store.inbound(after: 0, limit: 99, bytes: .max)
            #expect(entries.map(\.record) == records)
            #expect(entries.map { Array($0.record.broker.utf8) } == records.map { Array($0.broker.utf8) })
            #expect(entries.map(\.recoveries) == [Int](repeating: 1, count: 7) + [Int](repeating: 0, count: 5))
        }
    }
}
