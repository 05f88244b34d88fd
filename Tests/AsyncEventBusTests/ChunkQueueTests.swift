import Testing

@testable import AsyncEventBus

@Suite("ChunkQueue")
struct ChunkQueueTests {
    private func queue(_ numbers: some Sequence<Int>, kept: Set<Int> = []) -> ChunkQueue<Int> {
        var queue = ChunkQueue<Int>()
        for number in numbers { queue.append(number, isKept: kept.contains(number)) }
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
        #expect(queue.count == 150 && queue.countOfOrdinary == 150 && queue.canRun)
        let chunks = drain(&queue)
        #expect(chunks.map(\.count) == [64, 64, 22] && chunks.flatMap { $0 } == Array(0..<150))
        #expect(queue.count == 0 && queue.countOfOrdinary == 0 && !queue.canRun)
    }

    @Test("what nobody has claimed is given out again, and counts as waiting")
    func shared() {
        var queue = queue(0..<4)
        let chunk = queue.nextChunk()
        #expect(chunk?.claim() == 0)
        #expect(queue.count == 3 && queue.countOfOrdinary == 3 && queue.canRun)
        queue.append(4, isKept: false)
        let chunks = drain(&queue)
        #expect(chunks == [[1, 2, 3], [4]])
    }

    @Test("the oldest is taken from the chunk first, and never what is kept")
    func oldest() {
        var queue = queue(0..<6, kept: [0, 3])
        let kept = queue.nextChunk()
        #expect(kept?.isKept == true)
        #expect(queue.removeOldest() == 1)
        #expect(kept?.claim() == 0)
        let ordinary = queue.nextChunk()
        #expect(ordinary?.isKept == false)
        #expect(queue.removeOldest() == 2)
        #expect(queue.count == 3 && queue.countOfOrdinary == 2)
        let oldest = (0..<3).map { _ in queue.removeOldest() }
        #expect(oldest == [4, 5, nil])
        let chunks = drain(&queue)
        #expect(chunks == [[3]])
    }

    @Test("what is kept and what is not come in chunks of their own")
    func kept() {
        var queue = queue(0..<7, kept: [0, 1, 4])
        #expect(queue.countOfOrdinary == 4)
        let chunks = drain(&queue)
        #expect(chunks == [[0, 1], [2, 3], [4], [5, 6]])
        #expect(queue.countOfOrdinary == 0)
    }

    @Test("all that waits comes out at once, from the chunk and from behind it")
    func removeAll() {
        var queue = queue(0..<70, kept: [69])
        let chunk = queue.nextChunk()
        #expect(chunk?.claim() == 0)
        #expect(queue.removeAll() == Array(1..<70))
        #expect(queue.count == 0 && queue.countOfOrdinary == 0 && !queue.canRun)
    }
}
