import Foundation
import MessageStore
import SQLiteStore
import TestSupport
import Testing

@Suite("Full and read-only disks", .enabled(if: SmallDisk.isPossible, "mounting a tmpfs needs root"))
struct FullDiskTests {
    private let disk = try! SmallDisk(kilobytes: 1024)
    private var path: String { disk.path + "/store.db" }

    @Test(
        "on a full disk a commit fails as a whole; the store reads on, and works again when there is room",
        arguments: SQLiteStoreOptions.Synchronous.allCases
    )
    func full(_ synchronous: SQLiteStoreOptions.Synchronous) throws {
        let filler = disk.path + "/filler"
        try Data(count: 300 * 1024).write(to: URL(filePath: filler))
        let options = SQLiteStoreOptions(path: path, synchronous: synchronous)
        let store = try SQLiteStore.open(options).store
        var contents = try StoreContents(of: store)
        var failures = 0
        var sequence: Int64 = 0
        while failures < 5 {
            let batch = StoreBatch.with { batch in
                // A name that is new in each batch, so that a store which remembers one of a failed batch is found.
                let payload = [UInt8](repeating: 1, count: 500)
                batch.arrivals = (1...20).map { .sample(sequence + $0, route: "route \(sequence)", payload: payload) }
                batch.seen = [.sample(sequence)]
            }
            do {
                try store.commit(batch)
                sequence += 20
                contents = try StoreContents(of: store)
                try #require(sequence < 10_000)
            } catch let error as StoreError {
                failures += 1
                try #require([.full, .io].contains(error.code), "\(error)")
                #expect(error.isRetriable)
                #expect(error.description.contains(path))
            }
            #expect(try StoreContents(of: store) == contents)
        }
        #expect(sequence > 0)
        try FileManager.default.removeItem(atPath: filler)
        let last = InboundRecord.sample(sequence + 1, route: "route \(sequence)")
        try store.commit(
            .with {
                $0.arrivals = [last]; $0.finished = Array(1...sequence)
            }
        )
        #expect(try store.inbound(after: 0, limit: 9, bytes: .max).map(\.record) == [last])
        store.close()
        let again = try SQLiteStore.open(options).store
        #expect(try again.inbound(after: 0, limit: 9, bytes: .max).map(\.record) == [last])
        again.close()
    }

    @Test("a disk without room for a new store is full, and later holds one")
    func noRoom() throws {
        let filler = disk.path + "/filler"
        try Data(count: 1010 * 1024).write(to: URL(filePath: filler))
        do throws(StoreError) {
            try SQLiteStore.open(.init(path: path)).store.close()
            Issue.record("there is no room")
        } catch {
            #expect([.full, .io].contains(error.code), "\(error)")
        }
        try FileManager.default.removeItem(atPath: filler)
        let store = try SQLiteStore.open(.init(path: path)).store
        try store.commit(.with { $0.arrivals = [.sample(1)] })
        store.close()
    }

    @Test("a read-only disk is said to be that; everything is there when it can be written again")
    func readOnly() throws {
        let store = try SQLiteStore.open(.init(path: path)).store
        try store.commit(.with { $0.arrivals = [.sample(1)] })
        store.close()
        try disk.remount(readOnly: true)
        for whenDamaged in SQLiteStoreOptions.WhenDamaged.allCases {
            do throws(StoreError) {
                try SQLiteStore.open(.init(path: path, whenDamaged: whenDamaged)).store.close()
                Issue.record("the disk is read-only")
            } catch {
                #expect(error.code == .readOnly, "\(error)")
                #expect(error.isRetriable)
            }
        }
        try disk.remount(readOnly: false)
        let again = try SQLiteStore.open(.init(path: path)).store
        #expect(try again.inbound(after: 0, limit: 9, bytes: .max).map(\.record) == [.sample(1)])
        again.close()
    }
}
