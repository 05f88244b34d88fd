import Foundation
import GRDB
import MessageStore
import SQLiteStore
import StoreTesting
import TestSupport
import Testing

@Suite("SQLite store")
struct SQLiteStoreTests {
    private let folder = try! TemporaryDirectory()
    private var path: String { folder.file("state/store.db") }

    private func open(_ synchronous: SQLiteStoreOptions.Synchronous = .full) throws(StoreError) -> SQLiteStore {
        try SQLiteStore.open(.init(path: path, synchronous: synchronous))
    }

    private func mode(_ path: String) throws -> Int {
        let attributes = try FileManager.default.attributesOfItem(atPath: path)
        return (attributes[.posixPermissions] as! NSNumber).intValue
    }

    /// Runs `body`, which must fail, and returns the error.
    private func failure(_ body: () throws -> Void) -> StoreError? {
        do {
            try body()
            return nil
        } catch {
            return error as? StoreError
        }
    }

    @Test(
        "everything is there after it was closed and opened again",
        arguments: SQLiteStoreOptions.Synchronous.allCases
    )
    func reopen(_ synchronous: SQLiteStoreOptions.Synchronous) throws {
        let store = try open(synchronous)
        _ = try store.recover()
        let progress = ListenerProgress(isFinished: true, attempts: 2, interruptions: 3)
        try store.commit(
            .with { batch in
                batch.arrivals = [.sample(1), .sample(3, expires: 5)]
                batch.departures = [.sample(2), .sample(4, broker: "cloud")]
                batch.progress = [.init(sequence: 3, listener: "log", progress: progress)]
                batch.seen = [.sample(1)]
                batch.deadLetters = [.sample(1), .sample(2, payload: nil)]
                batch.life = .began
            }
        )
        _ = try store.text(named: "origin", initial: "here")
        let before = try StoreContents(of: store)
        #expect(try store.status().size > 4096)
        store.close()

        let again = try open(synchronous)
        defer { again.close() }
        #expect(try StoreContents(of: again) == before)
        #expect(try again.text(named: "origin", initial: "there") == "here")
        #expect(try again.recover().seen == [.sample(1)])
        #expect(try again.inbound(after: 0, limit: 9, bytes: .max).map(\.recoveries) == [1, 1])
        #expect(try again.check() == [])
    }

    @Test("names that nothing uses any more are gone after a recovery, the others are not")
    func names() throws {
        let store = try open()
        defer { store.close() }
        try store.commit(
            .with { batch in
                batch.arrivals = (1...20).map { .sample($0, route: "route \($0)", listeners: ["listener \($0)"]) }
            }
        )
        let watched = StoreBatch.Progress(
            sequence: 19,
            listener: "watcher",
            progress: .init(isFinished: true, attempts: 0)
        )
        try store.commit(
            .with {
                $0.finished = Array(1...18)
                $0.departures = [.sample(30, broker: "cloud"), .sample(31, broker: "away")]
                $0.progress = [watched]
            }
        )
        try store.commit(.with { $0.published = [31] })
        let before = try StoreContents(of: store)
        _ = try store.recover()
        #expect(try StoreContents(of: store).loads == before.loads)
        let audiences = try store.inbound(after: 0, limit: 9, bytes: .max).map(\.record.listeners)
        #expect(audiences == [["listener 19"], ["listener 20"]])
        try store.commit(.with { $0.arrivals = [.sample(21, route: "new", listeners: ["new", "listener 20"])] })
        #expect(
            try store.inbound(after: 20, limit: 9, bytes: .max).map(\.record.listeners) == [["new", "listener 20"]]
        )
        #expect(
            try query("SELECT name FROM names ORDER BY 1") == [
                "cloud", "lamps", "listener 19", "listener 20", "main", "new", "route 19", "route 20", "watcher",
            ]
        )
    }

    @Test("messages that come take the room of those that go: a commit of both writes one page to the log")
    func room() throws {
        let store = try open()
        defer { store.close() }
        let count: Int64 = 12
        var pages: [Int] = []
        for batch in 0..<30 as Range<Int64> {
            let first = batch * count + 1
            try store.commit(
                .with {
                    $0.arrivals = (first..<first + count).map { .sample($0) }
                    $0.finished = batch == 0 ? [] : Array(first - count..<first)
                }
            )
            // Written back each time, so that each commit begins the log anew.
            pages.append(
                try DatabaseQueue(path: path).writeWithoutTransaction { database in
                    try Row.fetchOne(database, sql: "PRAGMA wal_checkpoint(PASSIVE)")?["log"] ?? 0
                }
            )
        }
        #expect(pages.dropFirst(2).allSatisfy { $0 == 1 }, "\(pages)")
    }

    @Test("the log has its size from the beginning, and keeps it while it is written over and over")
    func log() throws {
        func size() throws -> Int { try Data(contentsOf: URL(filePath: path + "-wal")).count }
        let store = try open()
        let first = try size()
        #expect(first > 4_000_000)
        for number in 1...1_500 as ClosedRange<Int64> {
            try store.commit(
                .with {
                    $0.arrivals = [.sample(number)]
                    $0.finished = [number - 1]
                }
            )
        }
        #expect(try size() == first)
        store.close()
        let again = try open()
        defer { again.close() }
        #expect(try again.inbound(after: 0, limit: 9, bytes: .max).map(\.record.sequence) == [1_500])
        #expect(try again.check() == [] && size() == first)
    }

    @Test("no log is made beside what is no store, and what is there already is left as it is")
    func foreignLog() throws {
        try open().close()
        let log = path + "-wal"
        try Data("theirs".utf8).write(to: URL(filePath: log))
        let store = try open()
        #expect(try Data(contentsOf: URL(filePath: log)).count < 100_000)
        store.close()

        let manager = FileManager.default
        let target = folder.file("other")
        try manager.createSymbolicLink(atPath: log, withDestinationPath: target)
        _ = failure { try open().close() }
        let written = manager.fileExists(atPath: target) ? try Data(contentsOf: URL(filePath: target)).count : 0
        #expect(written < 100_000)
        try? manager.removeItem(atPath: log)

        try Data("no database at all".utf8).write(to: URL(filePath: path))
        for content in [Data("no database at all".utf8), Data()] {
            try content.write(to: URL(filePath: path))
            #expect(failure { try open().close() }?.code == (content.isEmpty ? .damaged : .foreign))
            #expect(!manager.fileExists(atPath: log) && !manager.fileExists(atPath: log + ".new"))
        }
    }

    @Test("the folder and every file belong to this user alone, whatever the umask and whatever they were")
    func permissions() throws {
        let store = try open()
        try store.commit(.with { $0.arrivals = [.sample(1)] })
        #expect(try mode(folder.file("state")) == 0o700)
        for suffix in ["", "-wal", "-shm", ".lock"] { #expect(try mode(path + suffix) == 0o600, "\(suffix)") }
        store.close()
        try FileManager.default.setAttributes([.posixPermissions: 0o666], ofItemAtPath: path)
        let again = try open()
        defer { again.close() }
        try again.commit(.with { $0.arrivals = [.sample(2)] })
        for suffix in ["", "-wal", "-shm"] { #expect(try mode(path + suffix) == 0o600, "\(suffix)") }
    }

    @Test("a folder that every user may write to is refused, with what to do")
    func openFolder() throws {
        try FileManager.default.createDirectory(
            atPath: folder.file("state"),
            withIntermediateDirectories: false,
            attributes: [.posixPermissions: 0o777]
        )
        try FileManager.default.setAttributes([.posixPermissions: 0o777], ofItemAtPath: folder.file("state"))
        let error = failure { _ = try open() }
        #expect(error?.code == .notPermitted)
        #expect(error?.advice.contains("chmod o-w \(folder.file("state"))") == true)
    }

    @Test("a second opener is refused and told the first one's process id, until that one closes")
    func lock() throws {
        let store = try open()
        let error = failure { _ = try open() }
        #expect(error?.code == .inUse)
        #expect(error?.detail.contains("process \(getpid()) ") == true)
        #expect(error?.isRetriable == false)
        store.close()
        try open().close()
    }

    @Test("a store that is let go of without being closed can be opened again")
    func letGo() throws {
        do {
            let store = try open()
            try store.commit(.with { $0.arrivals = [.sample(1)] })
        }
        let again = try open()
        defer { again.close() }
        #expect(try again.inbound(after: 0, limit: 9, bytes: .max).count == 1)
    }

    @Test("the death of the owner releases the lock")
    func death() async throws {
        try open().close()
        let script = "echo $$ > \"$0\"; echo held; exec sleep 100"
        let lock = path + ".lock"
        let owner = try ChildProcess("flock", ["--no-fork", lock, "sh", "-c", script, lock])
        _ = try await owner.waitForLine(containing: "held")
        let error = failure { try open().close() }
        #expect(error?.code == .inUse)
        #expect(error?.detail == "process \(owner.processID) uses it")
        owner.signal(SIGKILL)
        _ = try await owner.wait()
        try open().close()
    }

    @Test("a version of the future is refused, and stays as it is even when damaged files are moved")
    func newer() throws {
        try open().close()
        try execute("PRAGMA user_version = 99")
        let options = SQLiteStoreOptions(path: path, onCorrupt: .moveAside)
        let error = failure { _ = try SQLiteStore.open(options) }
        #expect(error?.code == .newer)
        #expect(error?.detail.contains("99") == true)
        #expect(failure { _ = try SQLiteStore.openForOperator(path: path) }?.code == .newer)
        try execute("PRAGMA user_version = 1")
        try open().close()
    }

    @Test("rows that were changed from outside are found by the check and not given out")
    func changedRow() throws {
        let store = try open()
        try store.commit(
            .with {
                $0.arrivals = [.sample(1), .sample(2)]; $0.deadLetters = [.sample(1)]
            }
        )
        try execute("UPDATE inbound SET payload = x'00' WHERE sequence = 2")
        #expect(try store.check() == ["1 rows of the table inbound were changed from outside"])
        #expect(failure { _ = try store.inbound(after: 1, limit: 9, bytes: .max) }?.code == .damaged)
        #expect(try store.inbound(after: 0, limit: 1, bytes: .max).map(\.record) == [.sample(1)])
        store.close()
        let error = failure { _ = try open() }
        #expect(error?.code == .damaged)
        #expect(error?.description.contains(path) == true)
    }

    @Test("an operator reads, checks and handles dead letters while the owner goes on; the owner sees the requests")
    func besideTheOwner() throws {
        #expect(failure { _ = try SQLiteStore.openForOperator(path: path) }?.code == .missing)
        #expect(!FileManager.default.fileExists(atPath: path))
        let owner = try open()
        defer { owner.close() }
        let beside = try SQLiteStore.openForOperator(path: path)
        defer { beside.close() }
        for sequence: Int64 in 1...3 {
            let route = "route \(sequence)"
            try owner.commit(
                .with {
                    $0.arrivals = [.sample(sequence, route: route)]; $0.deadLetters = [.sample(sequence)]
                }
            )
            #expect(try StoreContents(of: beside) == StoreContents(of: owner))
        }
        #expect(try beside.check() == [])
        #expect(try beside.requestReplay(of: .init(numbers: [2])) == 1)
        #expect(try beside.dropDeadLetters(.init(numbers: [1])) == 1)
        #expect(try owner.deadLetters(.init(onlyReplayRequested: true), limit: 9).map(\.number) == [2])
        #expect(try owner.deadLetters(.all, limit: 9).map(\.number) == [2, 3])
        try owner.commit(.with { $0.life = .began })
        _ = try owner.recover()
        #expect(try beside.inbound(after: 0, limit: 9, bytes: .max).map(\.recoveries) == [1, 1, 1])
    }

    @Test("after closing, calls fail and closing again does nothing")
    func closed() throws {
        let store = try open()
        store.close()
        store.close()
        #expect(failure { _ = try store.status() }?.detail == "the store is closed")
    }

    /// Changes the file behind the store's back.
    private func execute(_ sql: String) throws {
        try DatabaseQueue(path: path).writeWithoutTransaction { try $0.execute(sql: sql) }
    }

    private func query(_ sql: String) throws -> [String] {
        try DatabaseQueue(path: path).read { try String.fetchAll($0, sql: sql) }
    }
}
