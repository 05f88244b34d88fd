import Testing

@testable import AsyncEventBus

@Suite("ChunkQueue")
struct ChunkQueueTests {
    private func queue(
        _ numbers: some Sequence<Int>,
        kept: Set<Int> = [],
        sent: Set<Int> = []
    ) -> ChunkQueue<Int> {
        var queue = ChunkQueue<Int>(capacityBytes: .max)
        for number in numbers {
            let standing: Standing = kept.contains(number) ? .kept : sent.contains(number) ? .sent : .displaceable
            queue.append(number, key: nil, size: standing.takesRoom ? 1 : 0, standing)
        }
        return queue
    }

    private func drain(_ queue: inout ChunkQueue<Int>) -> [[Int]] {
        var chunks: [[Int]] = []
        while let chunk = queue.nextChunk() { chunks.append(chunk.claimAll()) }
        return chunks
    }

    @Test("chunks come in order, and are not longer than the limit")
    func order() {
        var queue = queue(0..<150)
        #expect(queue.count == 150 && queue.ordinary.count == 150 && queue.canRun)
        let chunks = drain(&queue)
        #expect(chunks.map(\.count) == [64, 64, 22] && chunks.flatMap { $0 } == Array(0..<150))
        #expect(queue.count == 0 && queue.ordinary.count == 0 && !queue.canRun)
    }

    @Test("what nobody has claimed is given out again, and counts as waiting")
    func shared() {
        var queue = queue(0..<4)
        let chunk = queue.nextChunk()
        #expect(chunk?.claim() == 0)
        #expect(queue.count == 3 && queue.ordinary.count == 3 && queue.canRun)
        queue.append(4, key: nil, size: 1, .displaceable)
        let chunks = drain(&queue)
        #expect(chunks == [[1, 2, 3], [4]])
    }

    @Test("the oldest is taken from the chunk first, and never what is kept")
    func oldest() {
        var queue = queue(0..<6, kept: [0, 3])
        let kept = queue.nextChunk()
        #expect(kept?.standing == .kept)
        #expect(queue.removeOldest(preferring: nil)?.element == 1)
        #expect(kept?.claim() == 0)
        let ordinary = queue.nextChunk()
        #expect(ordinary?.standing == .displaceable)
        #expect(queue.removeOldest(preferring: nil)?.element == 2)
        #expect(queue.count == 3 && queue.ordinary.count == 2)
        let oldest = (0..<3).map { _ in queue.removeOldest(preferring: nil)?.element }
        #expect(oldest == [4, 5, nil])
        let chunks = drain(&queue)
        #expect(chunks == [[3]])
    }

    @Test("what is kept and what is not come in chunks of their own")
    func kept() {
        var queue = queue(0..<7, kept: [0, 1, 4])
        #expect(queue.ordinary.count == 4)
        let chunks = drain(&queue)
        #expect(chunks == [[0, 1], [2, 3], [4], [5, 6]])
        #expect(queue.ordinary.count == 0)
    }

    @Test("what was sent takes up room, and is never taken as the oldest, in a chunk or in the line")
    func sent() {
        var queue = queue(0..<6, sent: [0, 1, 4])
        #expect(queue.ordinary.count == 6 && queue.sent.count == 3)
        let sent = queue.nextChunk()
        #expect(sent?.standing == .sent && sent?.remaining == 2)
        #expect(queue.ordinary.count == 6 && queue.sent.count == 3)
        let oldest = (0..<4).map { _ in queue.removeOldest(preferring: nil)?.element }
        #expect(oldest == [2, 3, 5, nil])
        #expect(sent?.claim() == 0)
        #expect(queue.ordinary.count == 2 && queue.sent.count == 2)
        let chunks = drain(&queue)
        #expect(chunks == [[1], [4]])
        #expect(queue.ordinary.count == 0 && queue.sent.count == 0)
    }

    @Test("all that waits comes out at once, from the chunk and from behind it")
    func removeAll() {
        var queue = queue(0..<70, kept: [69], sent: [68])
        let chunk = queue.nextChunk()
        #expect(chunk?.claim() == 0)
        #expect(queue.removeAll().elements == Array(1..<70))
        #expect(queue.count == 0 && queue.ordinary.count == 0 && queue.sent.count == 0 && !queue.canRun)
    }

    private struct Weight: Sized, Equatable {
        let size: Int
    }

    @Test("bytes are counted until they are claimed, of a chunk that is begun as a whole; what is large comes alone")
    func bytes() {
        var queue = ChunkQueue<Weight>(capacityBytes: 1_600)
        let all = [40, 40, 30, 500, 60].map(Weight.init)
        let isTaken = queue.append(contentsOf: all, bytes: 669)
        #expect(!isTaken && queue.count == 0 && queue.ordinary.bytes == 0)
        let isTakenNow = queue.append(contentsOf: all, bytes: 670)
        #expect(isTakenNow)
        queue.append(Weight(size: 7), key: nil, size: 7, .sent)
        queue.append(Weight(size: 900), key: nil, size: 0, .kept)
        #expect((queue.ordinary.count, queue.ordinary.bytes) == (6, 677))
        #expect((queue.sent.count, queue.sent.bytes) == (1, 7))
        let first = queue.nextChunk()
        #expect(first?.remaining == 2)
        #expect(first?.claim()?.size == 40)
        #expect((queue.ordinary.count, queue.ordinary.bytes) == (5, 677))
        let displaced = queue.removeOldest(preferring: nil)?.element
        #expect(displaced?.size == 40)
        #expect((queue.ordinary.count, queue.ordinary.bytes) == (4, 597))
        let next = queue.removeOldest(preferring: nil)?.element
        #expect(next?.size == 30)
        #expect((queue.ordinary.count, queue.ordinary.bytes) == (3, 567))
        let large = queue.nextChunk()?.claimAll()
        #expect(large?.map(\.size) == [500])
        #expect((queue.ordinary.count, queue.ordinary.bytes) == (2, 67))
        var others: [[Int]] = []
        while let chunk = queue.nextChunk() { others.append(chunk.claimAll().map(\.size)) }
        #expect(others == [[60], [7], [900]])
        #expect((queue.ordinary.bytes, queue.sent.bytes) == (0, 0))
    }
}
