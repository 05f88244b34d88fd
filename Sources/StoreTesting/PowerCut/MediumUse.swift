package import MessageStore
package import SQLiteStore

/// What a commit asks of a medium.
package struct MediumUse: Sendable, Hashable {
    /// How often the medium was waited for.
    package var syncs = 0
    /// How many bytes were written, as far as the medium was not left alone.
    package var bytes = 0

    /// What each of several commits to a new store in an empty folder asks.
    package static func measure(
        _ batches: [StoreBatch],
        root: String,
        synchronous: SQLiteStoreOptions.Synchronous
    ) throws -> [MediumUse] {
        let recorder = try MediumRecorder(root: root, fault: nil)
        let options = SQLiteStoreOptions(path: "\(recorder.root)/store.db", synchronous: synchronous)
        let store = try SQLiteStore.open(options, calls: recorder).store
        var ends: [Int] = [recorder.count]
        for batch in batches {
            try store.commit(batch)
            ends.append(recorder.count)
        }
        store.close()
        let events = recorder.end()
        return zip(ends, ends.dropFirst()).map { MediumUse(events[$0..<$1]) }
    }

    private init(_ events: ArraySlice<MediumEvent>) {
        for event in events {
            switch event {
            case .synchronized, .folderSynchronized: syncs += 1
            case .written(_, _, let written): bytes += written.count
            default: break
            }
        }
    }
}
