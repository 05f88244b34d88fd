import DequeModule

/// What waits in a mailbox where workers take chunks: in one line, without keys and rests.
///
/// The oldest are in a chunk, which workers empty without asking. Pure but for that.
struct ChunkQueue<Element: Sendable>: Sendable {
    private struct Item: Sendable {
        let element: Element
        let isKept: Bool
    }

    /// The most elements in a chunk.
    static var chunkLimit: Int { 64 }

    private var line = Deque<Item>()
    private var ordinaryInLine = 0
    private var chunk: Chunk<Element>?

    private var unclaimed: Int { chunk?.remaining ?? 0 }

    /// How many elements wait.
    var count: Int { line.count + unclaimed }

    /// How many of them take up room.
    var countOfOrdinary: Int {
        guard let chunk, !chunk.isKept else { return ordinaryInLine }
        return ordinaryInLine + chunk.remaining
    }

    /// Whether there is an element that nobody runs.
    var canRun: Bool { !line.isEmpty || unclaimed > 0 }

    mutating func append(_ element: Element, isKept: Bool) {
        if !isKept { ordinaryInLine += 1 }
        line.append(Item(element: element, isKept: isKept))
    }

    /// Adds elements that are not kept.
    mutating func append(contentsOf elements: [Element]) {
        ordinaryInLine += elements.count
        // One by one: a copy of a parcel costs a count up and down for each thing in it, and a sequence makes two.
        for position in elements.indices { line.append(Item(element: elements[position], isKept: false)) }
    }

    /// The chunk that elements are to be claimed from now; nil if there is none. Those that are kept and those that are
    /// not come in chunks of their own.
    mutating func nextChunk() -> Chunk<Element>? {
        if let chunk, chunk.remaining > 0 { return chunk }
        guard let isKept = line.first?.isKept else {
            chunk = nil
            return nil
        }
        var length = 1
        if ordinaryInLine == (isKept ? 0 : line.count) {
            length = min(line.count, Self.chunkLimit)
        } else {
            while length < min(line.count, Self.chunkLimit), line[length].isKept == isKept { length += 1 }
        }
        if !isKept { ordinaryInLine -= length }
        chunk = Chunk(count: length, isKept: isKept) { line.removeFirst().element }
        return chunk
    }

    /// Takes out what has waited longest. Never what is kept.
    mutating func removeOldest() -> Element? {
        if let chunk, !chunk.isKept, let oldest = chunk.claim() { return oldest }
        guard ordinaryInLine > 0, let position = line.firstIndex(where: { !$0.isKept }) else { return nil }
        ordinaryInLine -= 1
        return line.remove(at: position).element
    }

    /// Takes out everything.
    mutating func removeAll() -> [Element] {
        defer {
            line.removeAll()
            ordinaryInLine = 0
        }
        return (chunk?.claimAll() ?? []) + line.map(\.element)
    }
}
