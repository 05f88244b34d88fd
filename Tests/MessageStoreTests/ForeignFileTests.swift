import Foundation
import GRDB
import MessageStore
import SQLiteStore
import StoreTesting
import TestSupport
import Testing

@Suite("What is no store")
struct ForeignFileTests {
    /// What is found in place of a store, or beside it.
    enum Thing: String, CaseIterable {
        case folder, link, pipe, text, empty, otherDatabase, emptyDatabase, textAsLog, textAsLock, textAsNew,
            folderAsLog

        var code: StoreError.Code {
            switch self {
            case .folder, .link, .pipe, .folderAsLog: .notPermitted
            default: .foreign
            }
        }

        /// What the error must say.
        var word: String {
            switch self {
            case .folder, .folderAsLog: "is a folder"
            case .link: "symbolic link"
            case .pipe: "is a pipe"
            case .text: "no database"
            case .empty: "empty"
            case .otherDatabase, .emptyDatabase: "database, but no store"
            case .textAsLog: "-wal"
            case .textAsLock: ".lock"
            case .textAsNew: ".new"
            }
        }

        func make(_ path: String, in folder: TemporaryDirectory) throws {
            let manager = FileManager.default
            let text = Data("a letter to somebody\n".utf8)
            switch self {
            case .folder: try manager.createDirectory(atPath: path, withIntermediateDirectories: false)
            case .folderAsLog: try manager.createDirectory(atPath: path + "-wal", withIntermediateDirectories: false)
            case .link:
                let target = folder.file("target.db")
                try SQLiteStore.open(.init(path: target)).close()
                try manager.createSymbolicLink(atPath: path, withDestinationPath: target)
            case .pipe: #expect(mkfifo(path, 0o644) == 0)
            case .text: try text.write(to: URL(filePath: path))
            case .empty: try Data().write(to: URL(filePath: path))
            case .otherDatabase: try execute("CREATE TABLE recipes (name TEXT)", path)
            case .emptyDatabase: try execute("VACUUM", path)
            case .textAsLog: try text.write(to: URL(filePath: path + "-wal"))
            case .textAsLock: try text.write(to: URL(filePath: path + ".lock"))
            case .textAsNew: try text.write(to: URL(filePath: path + ".new"))
            }
            if self != .link, self != .pipe {
                for name in try manager.contentsOfDirectory(atPath: folder.path) {
                    try manager.setAttributes([.posixPermissions: 0o755], ofItemAtPath: folder.file(name))
                }
            }
        }

        private func execute(_ sql: String, _ path: String) throws {
            let queue = try DatabaseQueue(path: path)
            try queue.writeWithoutTransaction { try $0.execute(sql: sql) }
            try queue.close()
        }
    }

    private let folder = try! TemporaryDirectory()
    private var path: String { folder.file("store.db") }

    /// Names, kinds, modes and bytes of everything there.
    private func everything() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted().map { name in
            let attributes = try FileManager.default.attributesOfItem(atPath: folder.file(name))
            let isFile = attributes[.type] as? FileAttributeType == .typeRegular
            let content = isFile ? try Data(contentsOf: URL(filePath: folder.file(name))).base64EncodedString() : ""
            return "\(name) \(attributes[.type]!) \(attributes[.posixPermissions]!) \(content)"
        }
    }

    private func failure(_ body: () throws -> Void) -> StoreError? {
        do {
            try body()
            return nil
        } catch {
            return error as? StoreError
        }
    }

    @Test("what never was a store is refused, told for what it is, and stays as it is", arguments: Thing.allCases)
    func refused(_ thing: Thing) throws {
        try thing.make(path, in: folder)
        let before = try everything()
        for onCorrupt in SQLiteStoreOptions.OnCorrupt.allCases {
            let error = failure { try SQLiteStore.open(.init(path: path, onCorrupt: onCorrupt)).close() }
            #expect(error?.code == thing.code, "\(String(describing: error))")
            #expect(error?.description.contains(thing.word) == true, "\(String(describing: error))")
            #expect(error?.isRetriable == false)
            #expect(try everything() == before)
        }
        let obstacle = SQLiteStore.obstacle(at: path)
        #expect(obstacle?.code == thing.code && obstacle?.description.contains(thing.word) == true)
        let beside = failure { try SQLiteStore.openForOperator(path: path).close() }
        #expect(beside != nil)
        #expect(try everything() == before)
    }

    @Test("a path without obstacle is one that nothing is at, and one with a store; looking makes nothing")
    func noObstacle() throws {
        #expect(SQLiteStore.obstacle(at: path) == nil)
        #expect(SQLiteStore.obstacle(at: folder.file("new/folder/store.db")) == nil)
        #expect(try everything() == [])
        let store = try SQLiteStore.open(.init(path: path))
        #expect(SQLiteStore.obstacle(at: path) == nil)
        store.close()
        #expect(SQLiteStore.obstacle(at: path) == nil)
        #expect(SQLiteStore.obstacle(at: "")?.code == .notPermitted)
        #expect(SQLiteStore.obstacle(at: path + "/below")?.code == .notPermitted)
    }

    @Test(
        "a store of which a medium has lost the beginning is damaged, not foreign, and can be moved aside",
        arguments: [0, 40, 4_096]
    )
    func lostBeginning(_ zeros: Int) throws {
        try SQLiteStore.open(.init(path: path)).close()
        let content = try Data(contentsOf: URL(filePath: path))
        try (zeros == 4_096 ? Data(count: zeros) + content.dropFirst(zeros) : content.prefix(zeros))
            .write(to: URL(filePath: path))
        #expect(failure { try SQLiteStore.open(.init(path: path)).close() }?.code == .damaged)
        #expect(SQLiteStore.obstacle(at: path)?.code == .damaged)
        let store = try SQLiteStore.open(.init(path: path, onCorrupt: .moveAside))
        defer { store.close() }
        #expect(store.movedAside != nil)
    }

    @Test("a lock without its bytes and a second name of the log, as a power cut leaves them, are the store's own")
    func leftByPowerCut() throws {
        let folder = try TemporaryDirectory()
        let path = folder.file("store.db")
        let store = try SQLiteStore.open(.init(path: path))
        try store.commit(.with { $0.isProbe = true })
        try FileManager.default.linkItem(atPath: path + "-wal", toPath: path + "-wal.new")
        store.close()
        try Data(count: 30).write(to: URL(filePath: path + ".lock"))
        try SQLiteStore.open(.init(path: path)).close()
        #expect(!FileManager.default.fileExists(atPath: path + "-wal.new"))
    }

    @Test("a store of another user is refused and keeps its mode", .enabled(if: geteuid() == 0, "needs root"))
    func otherUser() throws {
        try SQLiteStore.open(.init(path: path)).close()
        #expect(chown(path, 12_345, 12_345) == 0 && chmod(path, 0o640) == 0)
        let before = try everything()
        let error = failure { try SQLiteStore.open(.init(path: path)).close() }
        #expect(error?.code == .notPermitted && error?.detail.contains("user 12345") == true)
        #expect(try everything() == before)
        try SQLiteStore.openForOperator(path: path).close()
    }
}
