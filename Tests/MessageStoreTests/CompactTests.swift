import Foundation
import GRDB
import MessageStore
import SQLiteStore
import StoreTesting
import TestSupport
import Testing

@Suite("Compacting a store")
struct CompactTests {
    private let folder = try! TemporaryDirectory()
    private var path: String { folder.file("store.db") }

    /// Many messages, of which some are done with.
    private func fill(_ path: String, _ sequences: ClosedRange<Int64>, finished: [Int64]) throws {
        let store = try SQLiteStore.open(.init(path: path))
        defer { store.close() }
        try store.commit(
            .with { batch in
                batch.arrivals = sequences.map { .sample($0, payload: [UInt8](repeating: 1, count: 1_500)) }
                batch.seen = (1...50).map { .sample($0) }
                batch.deadLetters = [.sample(1)]
            }
        )
        try store.commit(.with { $0.finished = finished })
    }

    @Test("what is free is given back, pages that are half empty too; everything else is as it was")
    func compact() throws {
        // One row in three: no page becomes free.
        try fill(path, 1...3_000, finished: (1...3_000).filter { $0 % 3 != 0 })
        let before = SQLiteStore.size(of: path)
        var store = try SQLiteStore.openForMaintenance(path: path)
        let contents = try StoreContents(of: store)
        try store.compact()
        #expect(try StoreContents(of: store) == contents && store.check() == [])
        try store.commit(.with { $0.departures = [.sample(9_000)] })
        store.close()
        #expect(SQLiteStore.size(of: path) < before / 2)
        #expect(try DatabaseQueue(path: path).read { try Int.fetchOne($0, sql: "PRAGMA auto_vacuum") } == 2)
        store = try SQLiteStore.open(.init(path: path))
        defer { store.close() }
        #expect(try store.inbound(after: 0, limit: 9_000, bytes: .max) == contents.inbound)
        #expect(try store.recover().seen.count == 50)
    }

    @Test(
        "without room to write everything anew, what is free is given back all the same, and nothing is lost",
        .enabled(if: SmallDisk.isPossible, "needs the right to mount")
    )
    func fullDisk() throws {
        let disk = try SmallDisk(kilobytes: 24_576)
        let path = disk.path + "/store.db"
        try fill(path, 1...6_000, finished: Array(1...2_500))
        let before = SQLiteStore.size(of: path)
        let store = try SQLiteStore.openForMaintenance(path: path)
        let contents = try StoreContents(of: store)
        let rest = try Shell.run("dd", ["if=/dev/zero", "of=\(disk.path)/rest", "bs=64k", "count=1000"])
        #expect(rest.stderr.contains("No space left"))
        let error = #expect(throws: StoreError.self) { try store.compact() }
        #expect(error?.code == .full)
        #expect(try StoreContents(of: store) == contents && store.check() == [])
        store.close()
        #expect(SQLiteStore.size(of: path) < before * 2 / 3)
    }

    @Test("it is for the only owner of a store that is there")
    func refused() throws {
        let missing = #expect(throws: StoreError.self) { try SQLiteStore.openForMaintenance(path: path) }
        #expect(missing?.code == .missing)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == [])
        let owner = try SQLiteStore.open(.init(path: path))
        defer { owner.close() }
        let second = #expect(throws: StoreError.self) { try SQLiteStore.openForMaintenance(path: path) }
        #expect(second?.code == .inUse)
        let beside = try SQLiteStore.openForOperator(path: path)
        defer { beside.close() }
        let error = #expect(throws: StoreError.self) { try beside.compact() }
        #expect(error?.code == .notPermitted)
    }
}
