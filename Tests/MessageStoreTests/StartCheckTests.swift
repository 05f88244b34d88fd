import Foundation
import GRDB
import MessageStore
import SQLiteStore
import StoreTesting
import TestSupport
import Testing

@Suite("The check of a store at its start")
struct StartCheckTests {
    private let folder = try! TemporaryDirectory()
    private var path: String { folder.file("store.db") }

    /// Opens it, calls `body`, closes it, and returns what was checked.
    @discardableResult
    private func use(
        _ path: String? = nil,
        _ check: SQLiteStoreOptions.CheckAtStart = .quick,
        _ body: (SQLiteStore) throws -> Void = { _ in }
    ) throws -> SQLiteStore.StartCheck {
        let path = path ?? self.path
        let store =
            try check == .quick ? SQLiteStore.open(path) : SQLiteStore.open(.init(path: path, checkAtStart: check))
        defer { store.close() }
        try body(store)
        return try #require(store.startCheck)
    }

    private func refusal(_ path: String? = nil, _ check: SQLiteStoreOptions.CheckAtStart = .quick) -> StoreError? {
        do {
            try use(path, check)
            return nil
        } catch {
            return error as? StoreError
        }
    }

    private func fill(_ sequences: ClosedRange<Int64>, bytes: Int = 500, at path: String? = nil) throws {
        try use(path) { store in
            try store.commit(
                .with { batch in
                    batch.arrivals = sequences.map { .sample($0, payload: [UInt8](repeating: 1, count: bytes)) }
                    batch.departures = sequences.map {
                        .sample(1_000_000 + $0, payload: [UInt8](repeating: 2, count: bytes))
                    }
                    batch.seen = sequences.map { .sample($0) }
                }
            )
        }
    }

    private func execute(_ sql: String) throws {
        let queue = try DatabaseQueue(path: path)
        try queue.writeWithoutTransaction { try $0.execute(sql: sql) }
        try queue.close()
    }

    /// Changes the bytes of the file.
    private func change(_ path: String? = nil, _ body: (inout Data) -> Void) throws {
        let file = URL(filePath: path ?? self.path)
        var data = try Data(contentsOf: file)
        body(&data)
        try data.write(to: file)
    }

    @Test("the quick check reads as much of a large store as of a small one, the full check all of it")
    func cost() throws {
        let large = folder.file("large.db")
        try fill(1...200)
        try fill(1...20_000, at: large)
        let (first, second) = (try use(), try use(large))
        #expect(first.kind == .quick && second.kind == .quick && !second.isAfterDamage)
        let size = try Data(contentsOf: URL(filePath: large)).count
        // The trees of the tables have a level more.
        #expect(size > 20_000_000 && second.bytesRead < first.bytesRead + 20 * 2_048, "\(first) \(second)")
        let full = try use(large, .full)
        #expect(full.kind == .full && full.bytesRead > size * 9 / 10 && full.duration > second.duration)
    }

    @Test(
        "a row that is damaged in the middle keeps the full check from starting, the quick one only from giving that row"
    )
    func oldRow() throws {
        try fill(1...100)
        try execute("UPDATE inbound SET payload = x'00' WHERE sequence = 50")
        #expect(refusal(nil, .full)?.code == .damaged)
        let store = try SQLiteStore.open(.init(path: path))
        #expect(try store.inbound(after: 0, limit: 100, bytes: .max).count == 49)
        let error = #expect(throws: StoreError.self) { try store.inbound(after: 49, limit: 100, bytes: .max) }
        #expect(error?.row == StoreRow(.inbound, 50))
        #expect(try store.inbound(after: 50, limit: 100, bytes: .max).count == 50)
        store.close()
        // Such a row is over when it is taken out.
        #expect(try use().kind == .quick)
    }

    @Test(
        "a row among the newest that is damaged is found by both",
        arguments: [
            "inbound SET head = x'00' WHERE sequence = 100", "outbound SET topic = 'x' WHERE sequence = 1000100",
            "seen SET tag = 'x' WHERE id = 99", "names SET name = 'x' WHERE id = 1", "envelopes SET broker = 9",
        ]
    )
    func newRow(_ sql: String) throws {
        try fill(1...100)
        try execute("UPDATE \(sql)")
        for check in SQLiteStoreOptions.CheckAtStart.allCases { #expect(refusal(nil, check)?.code == .damaged) }
    }

    @Test("of large rows the quick check reads nothing but the size")
    func largeRows() throws {
        try fill(1...9, bytes: 1_000_000)
        #expect(try use().bytesRead < 400_000)
    }

    @Test("a file without its end is refused", arguments: [1, 5_000, 100_000])
    func cut(_ bytes: Int) throws {
        try fill(1...500)
        try change { $0.removeLast(bytes) }
        for check in SQLiteStoreOptions.CheckAtStart.allCases { #expect(refusal(nil, check)?.code == .damaged) }
    }

    /// What is left of a store that `body` used last, and whose process was killed then.
    private func killed(_ body: (SQLiteStore) throws -> Void) throws -> String {
        let copy = folder.file("killed.db")
        try use { store in
            try body(store)
            for suffix in ["", "-wal"] {
                try FileManager.default.copyItem(atPath: path + suffix, toPath: copy + suffix)
            }
        }
        return copy
    }

    @Test("beside a log, too, a file without its end is refused", arguments: [1, 5_000, 100_000])
    func cutBesideLog(_ bytes: Int) throws {
        try fill(1...500)
        let copy = try killed { try $0.commit(.with { $0.finished = [1] }) }
        try change(copy) { $0.removeLast(bytes) }
        let error = refusal(copy)
        #expect(error?.code == .damaged && error?.detail.contains("cut short") == true, "\(String(describing: error))")
    }

    @Test("a file of which nothing but free pages is missing is whole")
    func freePages() throws {
        try fill(1...500)
        let copy = try killed { store in
            try store.commit(
                .with { batch in
                    batch.published = (1...500).map { 1_000_000 + $0 }
                    batch.evictions = [.seen(before: .max, keep: 0)]
                }
            )
            try store.commit(.with { $0.finished = [1] })
            // What became free was written over, on some systems.
            try execute("PRAGMA wal_checkpoint(PASSIVE)")
            try store.commit(.with { $0.finished = [2] })
        }
        try change(copy) { $0.removeLast(3 * 2_048) }
        let store = try SQLiteStore.open(.init(path: copy))
        #expect(try store.check() == [])
        #expect(try store.inbound(after: 0, limit: 999, bytes: .max).count == 498)
        store.close()
    }

    @Test("a file whose newest pages are in the log is whole")
    func shortBesideLog() throws {
        try fill(1...10)
        let copy = try killed { store in
            try store.commit(.with { $0.arrivals = (11...300).map { .sample($0) } })
        }
        let pages = try Data(contentsOf: URL(filePath: copy)).count / 2_048
        let store = try SQLiteStore.open(.init(path: copy))
        #expect(try store.check() == [])
        #expect(try store.inbound(after: 0, limit: 999, bytes: .max).count == 300)
        store.close()
        #expect(try Data(contentsOf: URL(filePath: copy)).count / 2_048 > pages)
    }

    @Test("after damage was met everything is checked at the next start, until the store is sound")
    func afterDamage() throws {
        try fill(1...4_000, bytes: 3_000)
        try change { data in
            let middle = data.count / 4_096 * 2_048
            data.replaceSubrange(middle..<middle + 800 * 2_048, with: repeatElement(0xA5, count: 800 * 2_048))
        }
        try use { store in
            let error = #expect(throws: StoreError.self) { try readAll(store) }
            #expect(error?.code == .damaged && error?.row == nil)
        }
        #expect(try String(contentsOfFile: path + ".lock", encoding: .utf8) == "\nlock of a message store, damaged\n")
        // The quick check alone would let it pass again.
        #expect(refusal()?.code == .damaged)
        #expect(refusal()?.code == .damaged)
        let store = try SQLiteStore.open(.init(path: path, onCorrupt: .moveAside))
        #expect(store.movedAside != nil && store.startCheck?.kind == .full)
        store.close()
        #expect(try use().kind == .quick)
    }

    private func readAll(_ store: SQLiteStore) throws {
        _ = try store.inbound(after: 0, limit: .max, bytes: .max)
        _ = try store.outbound(to: "main", after: 0, limit: .max, bytes: .max)
    }

    @Test("a process that was killed after it had met damage leaves a mark; a store that is sound loses it")
    func markOfKilled() throws {
        try fill(1...3)
        try folder.write("4711\nlock of a message store, damaged\n", to: "store.db.lock")
        let check = try use()
        #expect(check.kind == .full && check.isAfterDamage)
        #expect(try String(contentsOfFile: path + ".lock", encoding: .utf8) == "\nlock of a message store\n")
        #expect(try use().kind == .quick)
    }
}
