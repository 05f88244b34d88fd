import MessageStore
import Testing

@testable import MQTTBridge

@Suite("Pending changes")
struct PendingChangesTests {
    private func done(_ sequence: Int64) -> PendingChanges.Done { .init(sequence: sequence, route: "r", size: 1) }

    private func progress(_ sequence: Int64, _ listener: String) -> StoreBatch.Progress {
        .init(sequence: sequence, listener: listener, progress: ListenerProgress(isFinished: true, attempts: 0))
    }

    @Test("emits get the next sequences, in their order")
    func sequences() {
        var changes = PendingChanges()
        for topic in ["a", "b", "c"] { changes.add(.sample(topic: topic)) }
        var sequence: Int64 = 7
        let (batch, departures) = changes.batch(from: &sequence)
        #expect(sequence == 10)
        #expect(batch.departures.map(\.topic) == ["a", "b", "c"])
        #expect(batch.departures.map(\.sequence) == [8, 9, 10])
        #expect(departures.map(\.record) == batch.departures)
    }

    @Test("of a message that all have finished, what single listeners did is not written")
    func progressOfFinished() {
        var changes = PendingChanges()
        changes.progress = [progress(1, "a"), progress(2, "a"), progress(1, "b")]
        changes.finished = [done(1)]
        var sequence: Int64 = 0
        let batch = changes.batch(from: &sequence).batch
        #expect(batch.progress == [progress(2, "a")])
        #expect(batch.finished == [1])
    }

    @Test("what could not be committed comes before what has come since")
    func putBack() {
        var (earlier, later) = (PendingChanges(), PendingChanges())
        earlier.add(.sample(topic: "1", payload: 10))
        earlier.finished = [done(1)]
        earlier.published = [done(3)]
        earlier.progress = [progress(5, "a")]
        earlier.evictions = [.expired(before: 1)]
        earlier.reads.outbound = ["x"]
        later.add(.sample(topic: "2", payload: PendingChanges.departureBytes - 500))
        later.finished = [done(2)]
        later.published = [done(4)]
        later.progress = [progress(5, "b")]
        later.evictions = [.expired(before: 2)]
        later.reads.outbound = ["y"]
        later.evictionScopes = [.init(direction: .inbound, route: nil)]
        later.putBack(earlier)
        #expect(later.departures.map(\.record.topic) == ["1", "2"])
        #expect(later.finished == [done(1), done(2)])
        #expect(later.published == [done(3), done(4)])
        #expect(later.progress == [progress(5, "a"), progress(5, "b")])
        #expect(later.evictions == [.expired(before: 1), .expired(before: 2)])
        #expect(later.reads.outbound == ["x", "y"])
        #expect(later.evictionScopes.count == 1)
        // The sizes of both count.
        #expect(later.hasRoom(for: 1))
        #expect(!later.hasRoom(for: 1_000))
    }

    @Test("a message that has left the store is not done with once more")
    func forget() {
        var changes = PendingChanges()
        changes.finished = [done(1), done(2)]
        changes.published = [done(3), done(4)]
        changes.forget([1, 4])
        #expect(changes.finished == [done(2)])
        #expect(changes.published == [done(3)])
    }

    @Test("nothing is nothing; each kind of change is something")
    func empty() {
        #expect(PendingChanges().isEmpty)
        let changes: [(inout PendingChanges) -> Void] = [
            { $0.add(.sample()) }, { $0.finished = [done(1)] }, { $0.published = [done(1)] },
            { $0.progress = [progress(1, "a")] }, { $0.evictions = [.deadLetters(keep: 1, bytes: 1)] },
            { $0.seen = [SeenIdentity(source: "s", tag: "1", event: "e", digest: 9, time: 1)] },
            { $0.reads.outbound = ["b"] },
            { $0.evictionScopes = [.init(direction: .inbound, route: nil)] },
        ]
        for change in changes {
            var pending = PendingChanges()
            change(&pending)
            #expect(!pending.isEmpty)
        }
    }
}
