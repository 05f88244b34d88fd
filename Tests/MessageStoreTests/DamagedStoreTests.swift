import Foundation
import MessageStore
import SQLiteStore
import StoreTesting
import TestSupport
import Testing

/// "Half-read" means: a store that opens holds anything but what it held after one of its commits.
@Suite("Damaged stores")
struct DamagedStoreTests {
    enum Damage: String, CaseIterable {
        case headerFlipped, pageFlipped, fileCut, logFlipped, logCut

        var isOfLog: Bool { self == .logFlipped || self == .logCut }

        /// Whose files are damaged: beside a log, damage to pages that are in the log as well would not matter.
        var store: String { self == .pageFlipped ? "closed" : "killed" }

        /// What the store may hold. Damage to the file leaves no older state to fall back to; the end of a log may be
        /// lost.
        func states(_ crashed: CrashedStore) -> [StoreContents] {
            if isOfLog { return crashed.states }
            return [self == .pageFlipped ? crashed.states.first! : crashed.states.last!]
        }
    }

    @Test(
        "checked in full, a store with flipped bits or cut short is refused or moved aside, or whole, never read by halves",
        arguments: Seed.fresh(1)
    )
    func damage(_ seed: Seed) throws {
        let crashed = try CrashedStore(seed)
        var random = seed.random
        var refused: [Damage: Int] = [:]
        var read: [Damage: Int] = [:]
        for number in 0..<200 {
            let damage = Damage.allCases[number % Damage.allCases.count]
            let folder = try TemporaryDirectory()
            let path = try self.damage(crashed, damage, &random, folder)
            do throws(StoreError) {
                let store = try SQLiteStore.open(.init(path: path, checkAtStart: .full))
                defer { store.close() }
                let contents = try? StoreContents(of: store)
                let whole = damage.states(crashed)
                #expect(contents.map(whole.contains) == true, "\(damage), case \(number), \(seed)")
                read[damage, default: 0] += 1
            } catch {
                refused[damage, default: 0] += 1
                #expect([.damaged, .newer].contains(error.code), "\(error), \(damage), case \(number), \(seed)")
                #expect(error.description.contains(path))
                if error.code == .damaged {
                    let label = "\(damage), case \(number), \(seed)"
                    try refuseAgain(path, label)
                    try moveAside(path, label)
                }
            }
        }
        // A test that only saw one outcome would say little.
        #expect((refused[.pageFlipped] ?? 0) > 5 && (refused[.fileCut] ?? 0) > 5, "\(seed)")
        #expect((read[.logCut] ?? 0) > 5 && (read[.logFlipped] ?? 0) > 5, "\(seed)")
    }

    /// A store that is refused stays as it is, so that the next check finds the same.
    private func refuseAgain(_ path: String, _ label: String) throws {
        func bytes() -> [Data?] { ["", "-wal"].map { FileManager.default.contents(atPath: path + $0) } }
        let before = bytes()
        let error = #expect(throws: StoreError.self) {
            try SQLiteStore.open(.init(path: path, checkAtStart: .full)).close()
        }
        #expect(error?.code == .damaged, "\(label)")
        #expect(bytes() == before, "\(label)")
    }

    private func moveAside(_ path: String, _ label: String) throws {
        let opened = try SQLiteStore.open(.init(path: path, onCorrupt: .moveAside, checkAtStart: .full))
        defer { opened.close() }
        let moved = try #require(opened.movedAside)
        #expect(try #/.*\.damaged-\d{8}-\d{6}/#.wholeMatch(in: moved) != nil, "\(label)")
        #expect(try StoreContents(of: opened) == StoreContents(), "\(label)")
        try opened.commit(.with { $0.arrivals = [.sample(1)] })
        #expect(FileManager.default.fileExists(atPath: moved), "\(label)")
    }

    private func damage(
        _ crashed: CrashedStore,
        _ damage: Damage,
        _ random: inout TestSupport.SplitMix64,
        _ folder: TemporaryDirectory
    ) throws -> String {
        try crashed.copy(damage.store, into: folder, changing: damage.isOfLog ? "-wal" : "") { data in
            let size = data.count
            switch damage {
            case .fileCut, .logCut:
                data = data.prefix(random.below(size))
            case .headerFlipped, .pageFlipped, .logFlipped:
                for _ in 0...random.below(3) {
                    data[random.below(damage == .headerFlipped ? 100 : size)] ^= UInt8(1) << random.below(8)
                }
            }
        }
    }

    @Test("checked quickly, a damaged store is refused, or each message that it gives is one of its own, unchanged")
    func quick() throws {
        let seed = Seed.fresh(1)[0]
        let crashed = try CrashedStore(seed)
        let inbound = Set(crashed.states.flatMap(\.inbound).map(\.record))
        let outbound = Set(crashed.states.flatMap { $0.outbound["main"] ?? [] })
        var random = seed.random
        var (refused, read) = (0, 0)
        for number in 0..<200 {
            let damage = Damage.allCases[number % Damage.allCases.count]
            let folder = try TemporaryDirectory()
            let path = try self.damage(crashed, damage, &random, folder)
            do throws(StoreError) {
                let store = try SQLiteStore.open(.init(path: path))
                defer { store.close() }
                let found = (
                    records {
                        try store.inbound(after: $0, limit: 20, bytes: .max).map { ($0.record.sequence, $0.record) }
                    },
                    records {
                        try store.outbound(to: "main", after: $0, limit: 20, bytes: .max).map { ($0.sequence, $0) }
                    }
                )
                #expect(inbound.isSuperset(of: found.0), "\(damage), case \(number), \(seed)")
                #expect(outbound.isSuperset(of: found.1), "\(damage), case \(number), \(seed)")
                read += 1
            } catch {
                refused += 1
                #expect([.damaged, .newer].contains(error.code), "\(error), \(damage), case \(number), \(seed)")
            }
        }
        #expect(refused > 20 && read > 20, "\(seed)")
    }

    /// What can be read, page by page: a damaged row is passed over, other damage ends it.
    private func records<Record>(_ page: (Int64) throws -> [(Int64, Record)]) -> [Record] {
        var (records, last): ([Record], Int64) = ([], 0)
        while true {
            do {
                let rows = try page(last)
                guard let end = rows.last?.0, end > last else { return records }
                records += rows.map(\.1)
                last = end
            } catch {
                guard let row = (error as? StoreError)?.row, row.sequence > last else { return records }
                last = row.sequence
            }
        }
    }

    @Test("a log whose database is gone is damage, not a new store")
    func logAlone() throws {
        let crashed = try CrashedStore(Seed.fresh(1)[0])
        let folder = try TemporaryDirectory()
        let path = try crashed.copy(into: folder)
        try FileManager.default.removeItem(atPath: path)
        #expect(throws: StoreError.self) { try SQLiteStore.open(.init(path: path)) }
        let opened = try SQLiteStore.open(.init(path: path, onCorrupt: .moveAside))
        defer { opened.close() }
        #expect(opened.movedAside != nil)
    }

    @Test("what a killed process had committed is all there")
    func crash() throws {
        let crashed = try CrashedStore(Seed.fresh(1)[0])
        let folder = try TemporaryDirectory()
        let path = try crashed.copy(into: folder)
        let store = try SQLiteStore.open(.init(path: path))
        defer { store.close() }
        #expect(try StoreContents(of: store) == crashed.states.last)
    }
}
