import Testing

@testable import AsyncEventBus

@Suite("Chunk")
struct ChunkTests {
    private final class Token: Sendable {}

    private func chunk(_ numbers: [Int]) -> Chunk<Int> {
        var numbers = numbers[...]
        return Chunk(count: numbers.count, standing: .displaceable) { numbers.removeFirst() }
    }

    @Test("elements are claimed in order, each once")
    func order() {
        let chunk = chunk([1, 2, 3])
        #expect(chunk.remaining == 3)
        #expect([chunk.claim(), chunk.claim()] == [1, 2])
        #expect(chunk.remaining == 1)
        #expect([chunk.claim(), chunk.claim(), chunk.claim()] == [3, nil, nil])
        #expect(chunk.remaining == 0)
    }

    @Test("who claims all gets what is left, and nobody gets anything after that")
    func claimAll() {
        let chunk = chunk([1, 2, 3])
        #expect(chunk.claim() == 1)
        #expect(chunk.claimAll() == [2, 3])
        #expect(chunk.claimAll().isEmpty && chunk.claim() == nil && chunk.remaining == 0)
    }

    @Test("what is claimed is let go of by the chunk at once, and the rest with it")
    func lifetime() {
        weak var claimed: Token?
        weak var left: Token?
        do {
            var tokens = [Token(), Token()]
            (claimed, left) = (tokens[0], tokens[1])
            let chunk = Chunk(count: 2, standing: .displaceable) { tokens.removeFirst() }
            #expect(chunk.claim() != nil)
            #expect(claimed == nil && left != nil)
            #expect(chunk.remaining == 1)
        }
        #expect(left == nil)
    }

    @Test("of many who claim at a time, each gets elements of its own, and together they get all")
    func concurrent() async {
        let chunk = chunk(Array(0..<10_000))
        let claimed = await withTaskGroup(of: [Int].self) { group in
            for _ in 0..<4 {
                group.addTask {
                    var own: [Int] = []
                    while let number = chunk.claim() { own.append(number) }
                    return own
                }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(claimed.allSatisfy { $0 == $0.sorted() })
        #expect(claimed.flatMap { $0 }.sorted() == Array(0..<10_000))
    }
}
