import GRDB
import MessageStore
import SQLiteStore
import StoreTesting
import TestSupport
import Testing

@Suite("Damaged rows")
struct DamagedRowTests {
    private let folder = try! TemporaryDirectory()
    private var path: String { folder.file("store.db") }
    private let store: SQLiteStore

    init() throws {
        store = try SQLiteStore.open(.init(path: folder.file("store.db"), synchronous: .normal))
        try store.commit(
            .with { batch in
                batch.arrivals = (1...4).map { .sample($0) }
                batch.departures = (5...8).map { .sample($0) }
                batch.deadLetters = [.sample(1), .sample(2)]
            }
        )
    }

    private func execute(_ sql: String) throws {
        try DatabaseQueue(path: path).writeWithoutTransaction { try $0.execute(sql: sql) }
    }

    private func damage(_ body: () throws -> Void) -> StoreError? {
        do {
            try body()
            return nil
        } catch {
            return error as? StoreError
        }
    }

    @Test("the sound rows in front of a damaged one are given out, then it is named, then the rest is there")
    func page() throws {
        defer { store.close() }
        try execute("UPDATE inbound SET payload = x'00' WHERE sequence = 3")
        try execute("UPDATE outbound SET topic = 'other' WHERE sequence = 6")
        #expect(try store.inbound(after: 0, limit: 9, bytes: .max).map(\.record.sequence) == [1, 2])
        #expect(try store.outbound(to: "main", after: 0, limit: 9, bytes: .max).map(\.sequence) == [5])
        let inbound = damage { _ = try store.inbound(after: 2, limit: 9, bytes: .max) }
        #expect(inbound?.code == .damaged && inbound?.row == StoreRow(.inbound, 3))
        let outbound = damage { _ = try store.outbound(to: "main", after: 5, limit: 9, bytes: .max) }
        #expect(outbound?.code == .damaged && outbound?.row == StoreRow(.outbound, 6))

        let (first, second) = (InboundRecord.sample(3), OutboundRecord.sample(6))
        let left = (try store.remains(of: .init(.inbound, 3)), try store.remains(of: .init(.outbound, 6)))
        #expect(left.0.topic == first.topic && left.0.route == first.route && left.0.source == first.source)
        #expect(left.0.direction == .inbound && left.0.payload == nil && left.0.payloadSize == 1)
        #expect(left.1.topic == "other" && left.1.broker == "main" && left.1.tag == second.tag)
        #expect(left.1.direction == .outbound && left.1.payload == nil && left.1.payloadSize == second.payload.count)
        try store.commit(
            .with {
                $0.finished = [3]; $0.published = [6]
            }
        )
        #expect(try store.inbound(after: 2, limit: 9, bytes: .max).map(\.record.sequence) == [4])
        #expect(try store.outbound(to: "main", after: 5, limit: 9, bytes: .max).map(\.sequence) == [7, 8])
        #expect(try store.check() == [])
    }

    @Test("a message of which names are lost is told with the rest of it; one that is gone leaves nothing")
    func names() throws {
        defer { store.close() }
        store.close()
        try execute("UPDATE envelopes SET route = 77; UPDATE names SET name = 'x' WHERE name = 'main'")
        // Beside an owner that knows no names yet.
        let again = try SQLiteStore.openForOperator(path: path)
        defer { again.close() }
        #expect(damage { _ = try again.inbound(after: 0, limit: 9, bytes: .max) }?.row == StoreRow(.inbound, 1))
        let left = try again.remains(of: .init(.inbound, 1))
        #expect(left.topic == InboundRecord.sample(1).topic && left.route.isEmpty && left.broker.isEmpty)
        #expect(try again.remains(of: .init(.inbound, 99)).topic.isEmpty)
    }

    @Test("damaged rows make room like any other, and damaged progress only has a listener run again")
    func around() throws {
        defer { store.close() }
        try execute("UPDATE inbound SET head = x'FFFFFFFFFFFFFF' WHERE sequence = 1")
        let removals = try store.commit(
            .with { $0.evictions = [.oldest(.inbound, route: nil, messages: 2, bytes: 0)] }
        )
        #expect(removals.map(\.sequence) == [1, 2])
        let done = ListenerProgress(isFinished: true, attempts: 0)
        try store.commit(.with { $0.progress = [.init(sequence: 3, listener: "log", progress: done)] })
        try execute("UPDATE progress SET attempts = 9")
        #expect(try store.inbound(after: 0, limit: 9, bytes: .max).map(\.progress) == [[:], [:]])
    }

    @Test("a damaged dead letter is listed without its payload, and does not keep others from running again")
    func letters() throws {
        defer { store.close() }
        #expect(try store.requestReplay(of: .all) == 2)
        try execute("UPDATE letters SET payload = x'00' WHERE number = 1")
        let letters = try store.deadLetters(.all, limit: 9)
        #expect(letters.map(\.number) == [1, 2] && letters[0].payload == nil && letters[0].error.contains("damaged"))
        #expect(letters[1].payload != nil)
        #expect(try store.deadLetters(.init(onlyReplayRequested: true), limit: 1).map(\.number) == [2])
    }
}
