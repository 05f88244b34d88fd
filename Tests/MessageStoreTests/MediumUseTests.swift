import MessageStore
import SQLiteStore
import StoreTesting
import TestSupport
import Testing

/// What a message that comes alone costs a medium, which wears: flash above all.
@Suite("What a message costs the medium", .serialized)
struct MediumUseTests {
    /// Messages of 100 bytes that come and go one at a time.
    private func use(
        _ direction: DeadLetter.Direction,
        _ synchronous: SQLiteStoreOptions.Synchronous
    ) throws -> (kept: MediumUse, done: MediumUse) {
        let payload = [UInt8](repeating: 1, count: 100)
        let batches = (1...200 as ClosedRange<Int64>).flatMap { number -> [StoreBatch] in
            let kept = StoreBatch.with { batch in
                switch direction {
                case .inbound: batch.arrivals = [.sample(number, payload: payload)]
                case .outbound: batch.departures = [.sample(number, payload: payload)]
                }
            }
            let done = StoreBatch.with { batch in
                switch direction {
                case .inbound: batch.finished = [number]
                case .outbound: batch.published = [number]
                }
            }
            return [kept, done]
        }
        let folder = try TemporaryDirectory()
        let uses = try MediumUse.measure(batches, root: folder.path, synchronous: synchronous)
        // The first ones make names known, and pages.
        return (uses[300], uses[301])
    }

    @Test("to keep one waits for the medium once, and that it is done with waits for nothing")
    func full() throws {
        for (direction, limit) in [(DeadLetter.Direction.inbound, 4_700), (.outbound, 8_700)] {
            let use = try use(direction, .full)
            #expect((use.kept.syncs, use.done.syncs) == (1, 0))
            #expect(use.kept.bytes + use.done.bytes <= limit)
            #expect(use.done.bytes > 0, "the end of the process undoes nothing")
        }
    }

    @Test("where the operating system is waited for, the medium never is")
    func normal() throws {
        for direction in [DeadLetter.Direction.inbound, .outbound] {
            let use = try use(direction, .normal)
            #expect((use.kept.syncs, use.done.syncs) == (0, 0))
        }
    }
}
