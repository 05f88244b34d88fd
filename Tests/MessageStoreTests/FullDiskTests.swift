import Foundation
import MessageStore
import SQLiteStore
import StoreTesting
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
        let store = try SQLiteStore.open(options)
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
        let again = try SQLiteStore.open(options)
        #expect(try again.inbound(after: 0, limit: 9, bytes: .max).map(\.record) == [last])
        again.close()
    }

    @Test("a store with its reserve opens on a full disk, however much room is left beside it")
    func opens() throws {
        let disk = try SmallDisk(kilobytes: 16 * 1024)
        let (path, filler) = (disk.path + "/store.db", disk.path + "/filler")
        for left in stride(from: 0, through: 640, by: 16) {
            // With room for it, the reserve comes back.
            try SQLiteStore.open(.init(path: path)).close()
            let attributes = try FileManager.default.attributesOfFileSystem(forPath: disk.path)
            let free = try #require(attributes[.systemFreeSize] as? NSNumber).intValue
            try Data(count: free - left * 1_024).write(to: URL(filePath: filler))
            let store = try SQLiteStore.open(.init(path: path))
            #expect(try store.check() == [], "\(left) KiB left")
            store.close()
            try FileManager.default.removeItem(atPath: filler)
        }
    }

    @Test(
        "a disk that messages have filled, with nothing left beside them, drains to the end, and fills again",
        arguments: [DeadLetter.Direction.inbound, .outbound]
    )
    func ownBacklog(_ direction: DeadLetter.Direction) throws {
        let disk = try SmallDisk(kilobytes: 16 * 1024)
        let (path, filler) = (disk.path + "/store.db", disk.path + "/filler")
        var store = try SQLiteStore.open(.init(path: path))
        #expect(FileManager.default.fileExists(atPath: path + ".reserve"))
        var sequence: Int64 = 0
        func add(_ payload: Int) throws {
            let bytes = [UInt8](repeating: 1, count: payload)
            var batch = StoreBatch()
            for number in (sequence + 1)...(sequence + 20) {
                if direction == .inbound {
                    batch.arrivals.append(.sample(number, payload: bytes))
                } else {
                    batch.departures.append(.sample(number, payload: bytes))
                }
            }
            try store.commit(batch)
            sequence += 20
        }
        func fill() throws -> Int {
            var added = 0
            while true {
                do {
                    try add(1_500)
                    added += 20
                } catch let error as StoreError {
                    try #require(error.code == .full, "\(error)")
                    return added
                }
            }
        }
        func remove(_ sequences: ClosedRange<Int64>) throws {
            var batch = StoreBatch()
            if direction == .inbound { batch.finished = Array(sequences) } else { batch.published = Array(sequences) }
            try store.commit(batch)
        }
        func fillRest() throws {
            let file = try #require(fopen(filler, "a"))
            defer { fclose(file) }
            setbuf(file, nil)
            let page = [UInt8](repeating: 1, count: 4_096)
            while fwrite(page, 1, page.count, file) == page.count {}
        }
        let first = try fill()
        #expect(first > 2_000)
        // Not even what the reserve had is free.
        try fillRest()
        #expect(try fill() < 100)
        var next: Int64 = 1
        while next <= sequence - 1_000 {
            try remove(next...(next + 19))
            next += 20
        }
        // What was removed makes room in the file.
        #expect(try fill() > 500)
        #expect(try store.check() == [])

        // A log must be possible without room for one.
        store.close()
        try fillRest()
        store = try SQLiteStore.open(.init(path: path))
        while next <= sequence {
            try remove(next...min(next + 19, sequence))
            next += 20
        }
        #expect(try store.status().messages == 0)
        let full = try store.status().size
        // Each is bounded in time, so how many it takes depends on the machine. Up to 8 MiB may stay free.
        for _ in 0..<1_000 where try store.status().size >= full / 4 * 3 { try store.tidy() }
        #expect(try store.status().size < full / 4 * 3)
        try FileManager.default.removeItem(atPath: filler)
        try store.tidy()
        #expect(FileManager.default.fileExists(atPath: path + ".reserve"))
        #expect(try fill() > 2_000)
        store.close()
    }

    @Test("a store whose process was killed on a full disk, and has no reserve, leaves room for removals all the same")
    func withoutReserve() throws {
        let (disk, next) = (try SmallDisk(kilobytes: 16 * 1024), try SmallDisk(kilobytes: 16 * 1024))
        var sequence: Int64 = 0
        func fill(_ store: SQLiteStore) throws {
            while true {
                let payload = [UInt8](repeating: 1, count: 1_500)
                do throws(StoreError) {
                    try store.commit(.with { $0.arrivals = (1...20).map { .sample(sequence + $0, payload: payload) } })
                    sequence += 20
                } catch {
                    try #require(error.code == .full, "\(error)")
                    return
                }
            }
        }
        let killed = try SQLiteStore.open(.init(path: disk.path + "/store.db"))
        try fill(killed)
        #expect(!FileManager.default.fileExists(atPath: disk.path + "/store.db.reserve"))
        // What a kill leaves: the file and its log as they are now.
        for name in ["store.db", "store.db-wal"] {
            try FileManager.default.copyItem(atPath: "\(disk.path)/\(name)", toPath: "\(next.path)/\(name)")
        }
        killed.close()
        let attributes = try FileManager.default.attributesOfFileSystem(forPath: next.path)
        let free = try #require(attributes[.systemFreeSize] as? NSNumber).intValue
        for left in [100, 300] where left * 1_024 < free {
            let filler = next.path + "/filler"
            try Data(count: free - left * 1_024).write(to: URL(filePath: filler))
            let store = try SQLiteStore.open(.init(path: next.path + "/store.db"))
            try fill(store)
            let first = try #require(try store.inbound(after: 0, limit: 1, bytes: .max).first?.record.sequence)
            for finished in first...(first + 40) { try store.commit(.with { $0.finished = [finished] }) }
            #expect(try store.check() == [])
            store.close()
            try FileManager.default.removeItem(atPath: filler)
        }
    }

    @Test("a disk without room for a new store is full, and later holds one")
    func noRoom() throws {
        let filler = disk.path + "/filler"
        try Data(count: 1010 * 1024).write(to: URL(filePath: filler))
        do throws(StoreError) {
            try SQLiteStore.open(.init(path: path)).close()
            Issue.record("there is no room")
        } catch {
            #expect([.full, .io].contains(error.code), "\(error)")
        }
        try FileManager.default.removeItem(atPath: filler)
        let store = try SQLiteStore.open(.init(path: path))
        try store.commit(.with { $0.arrivals = [.sample(1)] })
        store.close()
    }

    @Test("a read-only disk is said to be that; everything is there when it can be written again")
    func readOnly() throws {
        let store = try SQLiteStore.open(.init(path: path))
        try store.commit(.with { $0.arrivals = [.sample(1)] })
        store.close()
        try disk.remount(readOnly: true)
        for onCorrupt in SQLiteStoreOptions.OnCorrupt.allCases {
            do throws(StoreError) {
                try SQLiteStore.open(.init(path: path, onCorrupt: onCorrupt)).close()
                Issue.record("the disk is read-only")
            } catch {
                #expect(error.code == .readOnly, "\(error)")
                #expect(error.isRetriable)
            }
        }
        try disk.remount(readOnly: false)
        let again = try SQLiteStore.open(.init(path: path))
        #expect(try again.inbound(after: 0, limit: 9, bytes: .max).map(\.record) == [.sample(1)])
        again.close()
    }
}
