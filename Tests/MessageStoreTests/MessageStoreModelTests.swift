import MessageStore
import SQLiteStore
import StoreTesting
import TestSupport
import Testing

@Suite("Message stores against a model")
struct MessageStoreModelTests {
    @Test(
        "after any batches, recoveries and reopenings both stores hold what the model says",
        arguments: Seed.fresh(6)
    )
    func model(_ seed: Seed) throws {
        let folder = try TemporaryDirectory()
        let options = SQLiteStoreOptions(path: folder.file("store.db"), synchronous: .normal)
        var file = try SQLiteStore.open(options)
        defer { file.close() }
        let memory = MemoryStore()
        var model = StoreModel()
        var batches = RandomBatches(seed: seed.value)
        for step in 1...120 {
            let batch = batches.next(letters: model.lastLetter)
            let removals = model.apply(batch)
            #expect(try memory.commit(batch) == removals, "step \(step), \(seed)")
            #expect(try file.commit(batch) == removals, "step \(step), \(seed)")
            if step % 10 == 0 {
                if step % 20 == 0 {
                    file.close()
                    file = try SQLiteStore.open(options)
                }
                model.recover()
                for inventory in [try memory.recover(), try file.recover()] {
                    #expect(inventory.seen == model.seen, "step \(step), \(seed)")
                    #expect(inventory.listeners == model.listeners, "step \(step), \(seed)")
                }
            }
            let expected = model.contents
            try #require(try StoreContents(of: memory) == expected, "memory, step \(step), \(seed)")
            try #require(try StoreContents(of: file) == expected, "file, step \(step), \(seed)")
        }
        #expect(try file.check() == [])
    }
}
