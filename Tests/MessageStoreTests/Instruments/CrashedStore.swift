import Foundation
import MessageStore
import SQLiteStore
import StoreTesting
import TestSupport

/// The files that a killed process left, those that the process before it left by closing, and what the store held then
/// and after each commit since.
final class CrashedStore: Sendable {
    private let folder = try! TemporaryDirectory()
    let states: [StoreContents]

    init(_ seed: Seed) throws {
        var batches = RandomBatches(seed: seed.value)
        let options = SQLiteStoreOptions(path: folder.file("live/store.db"), synchronous: .normal)
        var store = try SQLiteStore.open(options)
        for _ in 1...30 { try store.commit(batches.next(letters: 5)) }
        store.close()
        try FileManager.default.createDirectory(atPath: folder.file("closed"), withIntermediateDirectories: false)
        try FileManager.default.createDirectory(atPath: folder.file("killed"), withIntermediateDirectories: false)
        try FileManager.default.copyItem(atPath: options.path, toPath: folder.file("closed/store.db"))
        store = try SQLiteStore.open(options)
        defer { store.close() }
        var states = [try StoreContents(of: store)]
        for _ in 1...12 {
            try store.commit(batches.next(letters: 5))
            states.append(try StoreContents(of: store))
        }
        self.states = states
        for suffix in ["", "-wal"] {
            let copy = folder.file("killed/store.db" + suffix)
            try FileManager.default.copyItem(atPath: options.path + suffix, toPath: copy)
        }
    }

    /// A copy of what the killed or the closed store left, with one file changed; returns the path of the database.
    func copy(
        _ which: String = "killed",
        into folder: TemporaryDirectory,
        changing suffix: String = "",
        _ change: (inout Data) -> Void = { _ in }
    ) throws -> String {
        for name in ["", "-wal"] {
            guard var data = try? Data(contentsOf: URL(filePath: self.folder.file("\(which)/store.db\(name)"))) else {
                continue
            }
            if name == suffix { change(&data) }
            try data.write(to: URL(filePath: folder.file("store.db" + name)))
        }
        return folder.file("store.db")
    }
}
