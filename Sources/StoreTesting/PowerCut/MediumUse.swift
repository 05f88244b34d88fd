package import MessageStore
package import SQLiteStore

/// The use that a commit makes of a medium.
package struct MediumUse: Sendable, Hashable {
    /// The number of syncs.
    package var syncs = 0
    /// The number of bytes written.
    package var bytes = 0

    /// Returns the use of the medium by each of several commits to a new store in an empty folder.
    package static func measure(
        _ batches: [StoreBatch],
        root: String,
        synchronous: SQLiteStoreOptions.Synchronous
    ) throws -> [MediumUse] {
        let recorder = try MediumRecorder(root: root, fault: nil)
        let options = SQLiteStoreOptions(path: "\(recorder.root)/store.db", synchronous: synchronous)
        let store = try SQLiteStore.open(options, calls: recorder)
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
