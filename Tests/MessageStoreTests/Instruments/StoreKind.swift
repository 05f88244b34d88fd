import MessageStore
import SQLiteStore
import TestSupport

/// The stores that keep the contract.
enum StoreKind: String, CaseIterable, Sendable {
    case memory
    case file

    /// Runs `body` with an empty store that has been recovered once.
    func withStore<Result>(_ body: (any MessageStore) throws -> Result) throws -> Result {
        switch self {
        case .memory:
            let store = MemoryStore()
            _ = try store.recover()
            return try body(store)
        case .file:
            let folder = try TemporaryDirectory()
            let store = try SQLiteStore.open(.init(path: folder.file("store.db"), synchronous: .normal))
            defer { store.close() }
            _ = try store.recover()
            return try body(store)
        }
    }
}
