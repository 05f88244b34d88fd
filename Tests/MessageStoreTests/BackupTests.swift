import Foundation
import Glibc
import MessageStore
import SQLiteStore
import StoreTesting
import TestSupport
import Testing

@Suite("Backups of a store")
struct BackupTests {
    private let folder = try! TemporaryDirectory()
    private let store: SQLiteStore
    private var copy: String { folder.file("copies/backup.db") }

    init() throws {
        try FileManager.default.createDirectory(atPath: folder.file("copies"), withIntermediateDirectories: false)
        store = try SQLiteStore.open(.init(path: folder.file("store.db"), synchronous: .normal))
    }

    private func names() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder.file("copies")).sorted()
    }

    private func fill() throws {
        try store.commit(
            .with { batch in
                batch.arrivals = (1...100).map { .sample($0) }
                batch.departures = (101...200).map { .sample($0) }
                batch.seen = (1...100).map { .sample($0) }
                batch.deadLetters = [.sample(1), .sample(2, payload: nil)]
                batch.progress = [.init(sequence: 5, listener: "log", progress: .init(isFinished: true, attempts: 0))]
                batch.life = .began
            }
        )
        _ = try store.text(named: "origin", initial: "here")
        try store.commit(.with { $0.finished = Array(20...90) })
    }

    @Test("a backup is a sound store of this user with the same content, also from beside the owner")
    func content() throws {
        defer { store.close() }
        try fill()
        try store.backup(to: copy)
        let beside = try SQLiteStore.openForOperator(path: store.path)
        try beside.backup(to: copy + "2")
        beside.close()
        #expect(try names() == ["backup.db", "backup.db2"])
        for path in [copy, copy + "2"] {
            var status = stat()
            #expect(stat(path, &status) == 0 && status.st_mode & 0o777 == 0o600)
            let again = try SQLiteStore.open(.init(path: path, checkAtStart: .full))
            #expect(try StoreContents(of: again) == StoreContents(of: store))
            #expect(try again.text(named: "origin", initial: "there") == "here")
            #expect(try again.recover().seen.count == 100)
            try again.commit(.with { $0.arrivals = [.sample(9_000)] })
            #expect(try again.check() == [])
            again.close()
        }
        #expect(try store.inbound(after: 8_999, limit: 1, bytes: .max) == [])
    }

    @Test(
        "under load a backup holds what there was after one commit, none before it began, and commits go on meanwhile"
    )
    func load() async throws {
        defer { store.close() }
        let payload = [UInt8](repeating: 1, count: 2_000)
        try store.commit(.with { $0.departures = (1...10_000).map { .sample($0, payload: payload) } })
        // Fifty at a time, of which the oldest go: at any moment a run of so many.
        let last = Locked<Int64>(20_000)
        let isOver = Locked(false)
        async let writing: Void = onThread {
            while !isOver.withLock({ $0 }) {
                let next = last.withLock { $0 } + 1
                try store.commit(
                    .with { batch in
                        batch.arrivals = (next..<next + 50).map { .sample($0) }
                        batch.finished = Array(next - 50..<next)
                    }
                )
                last.withLock { $0 = next + 49 }
            }
        }
        #expect(try await eventually(within: .seconds(30)) { last.withLock { $0 } > 20_000 })
        let (before, after) = try await onThread {
            let before = last.withLock { $0 }
            try SQLiteStore.openForOperator(path: store.path).backup(to: copy)
            return (before, last.withLock { $0 })
        }
        isOver.withLock { $0 = true }
        _ = try await writing
        let backup = try SQLiteStore.open(.init(path: copy))
        defer { backup.close() }
        let sequences = try backup.inbound(after: 0, limit: .max, bytes: .max).map(\.record.sequence)
        let end = try #require(sequences.last)
        #expect(sequences == Array(end - 49...end) && (before...after + 50).contains(end) && end % 50 == 0)
        #expect(after > before, "nothing was committed meanwhile")
        #expect(try backup.outbound(to: "main", after: 0, limit: .max, bytes: .max).count == 10_000)
    }

    @Test("a file that exists is refused and stays as it is, whatever it is")
    func exists() throws {
        defer { store.close() }
        try FileManager.default.createDirectory(atPath: copy + ".folder", withIntermediateDirectories: false)
        try FileManager.default.createSymbolicLink(atPath: copy + ".link", withDestinationPath: folder.file("nowhere"))
        try Data("mine".utf8).write(to: URL(filePath: copy + ".text"))
        for path in [copy + ".folder", copy + ".link", copy + ".text", store.path] {
            let error = #expect(throws: StoreError.self) { try store.backup(to: path) }
            #expect(error?.code == .exists, "\(path)")
        }
        #expect(try names() == ["backup.db.folder", "backup.db.link", "backup.db.text"])
        #expect(try String(contentsOfFile: copy + ".text", encoding: .utf8) == "mine")
        #expect(try store.check() == [])
    }

    @Test("what a killed process has left is replaced; what another one writes, or nobody's backup, is not")
    func leftOver() throws {
        defer { store.close() }
        let partial = copy + ".partial"
        try Data("a letter".utf8).write(to: URL(filePath: partial))
        let foreign = #expect(throws: StoreError.self) { try store.backup(to: copy) }
        #expect(foreign?.code == .foreign)
        #expect(try String(contentsOfFile: partial, encoding: .utf8) == "a letter")
        for content in ["", "SQLite format 3\0 and so on"] {
            try Data(content.utf8).write(to: URL(filePath: partial))
            try Data(content.utf8).write(to: URL(filePath: partial + "-journal"))
            let descriptor = open(partial, O_RDWR)
            #expect(flock(descriptor, LOCK_EX | LOCK_NB) == 0)
            let busy = #expect(throws: StoreError.self) { try store.backup(to: copy) }
            #expect(busy?.code == .busy)
            #expect(try names() == ["backup.db.partial", "backup.db.partial-journal"])
            close(descriptor)
            try store.backup(to: copy)
            #expect(try names() == ["backup.db"])
            try FileManager.default.removeItem(atPath: copy)
        }
    }

    /// The system's calls, which are noted, and of which one fails.
    private final class Calls: FileCalls {
        private let system = SystemFileCalls()
        private let failing: String?
        let made = Locked<[String]>([])

        init(failing: String? = nil) { self.failing = failing }

        private func note(_ call: String, _ body: () -> Int32) -> Int32 {
            made.withLock { $0.append(call) }
            guard call == failing else { return body() }
            errno = EIO
            return -1
        }

        func makeFolder(_ path: String) -> Int32 { note("make folder") { system.makeFolder(path) } }
        func create(_ path: String) -> Int32 { note("create") { system.create(path) } }
        func write(_ bytes: [UInt8], count: Int, to descriptor: Int32) -> Int {
            system.write(bytes, count: count, to: descriptor)
        }
        func synchronize(_ descriptor: Int32) -> Int32 { note("sync") { system.synchronize(descriptor) } }
        func synchronizeFolder(_ path: String) -> Int32 { note("sync folder") { system.synchronizeFolder(path) } }
        func link(_ path: String, to newPath: String) -> Int32 { note("link") { system.link(path, to: newPath) } }
        func rename(_ path: String, to newPath: String) -> Int32 { note("rename") { system.rename(path, to: newPath) } }
        func remove(_ path: String) -> Int32 { note("remove") { system.remove(path) } }
        func close(_ descriptor: Int32) { system.close(descriptor) }
    }

    @Test("it is on the medium before it gets its name, and its name before the call returns")
    func order() throws {
        defer { store.close() }
        let calls = Calls()
        try store.backup(to: copy, calls: calls)
        #expect(calls.made.withLock { $0 }.filter { $0 != "remove" } == ["create", "sync", "link", "sync folder"])
    }

    @Test("a call that fails leaves nothing behind", arguments: ["create", "sync", "link", "sync folder"])
    func failingCall(_ call: String) throws {
        defer { store.close() }
        let error = #expect(throws: StoreError.self) { try store.backup(to: copy, calls: Calls(failing: call)) }
        #expect(error?.code == .io)
        #expect(try names() == [])
    }

    @Test("a store with a damaged row is not backed up, and is named")
    func damaged() throws {
        defer { store.close() }
        try fill()
        try store.commit(.with { $0.isProbe = true })
        let queue = try Shell.run("sqlite3", [store.path, "UPDATE inbound SET payload = x'00' WHERE sequence = 7"])
        #expect(queue.status == .exited(0), "\(queue.stderr)")
        let error = #expect(throws: StoreError.self) { try store.backup(to: copy) }
        #expect(error?.code == .damaged && error?.advice.contains(store.path) == true)
        #expect(try names() == [])
    }

    @Test("without room for it nothing is left", .enabled(if: SmallDisk.isPossible, "needs the right to mount"))
    func fullDisk() throws {
        defer { store.close() }
        let payload = [UInt8](repeating: 1, count: 2_000)
        try store.commit(.with { $0.departures = (1...2_000).map { .sample($0, payload: payload) } })
        let disk = try SmallDisk(kilobytes: 2_048)
        let error = #expect(throws: StoreError.self) { try store.backup(to: disk.path + "/backup.db") }
        #expect(error?.code == .full && error?.advice.contains(disk.path) == true)
        let left = try FileManager.default.contentsOfDirectory(atPath: disk.path)
        #expect(left == [])
    }
}
