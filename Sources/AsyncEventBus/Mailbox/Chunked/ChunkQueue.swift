import DequeModule

/// The queue of a mailbox whose workers take chunks: a single line, without keys and rests.
///
/// A chunk holds the oldest elements, and workers empty it without this queue. Pure apart from that.
struct ChunkQueue<Element: Sized>: WaitingLine {
    private struct Item: Sendable {
        let element: Element
        /// In bytes, 0 if the element takes up no room. Short, since emitters write many items.
        let size: UInt32
        let standing: Standing

        init(_ element: Element, size: Int, _ standing: Standing) {
            self.element = element
            self.size = UInt32(clamping: size)
            self.standing = standing
        }
    }

    /// The most elements in a chunk.
    static var chunkLimit: Int { 64 }

    /// The most bytes in a chunk of several elements. All bytes of a chunk count until it is empty.
    private let chunkBytes: Int
    private var line = Deque<Item>()
    /// The loads of ordinary and of sent elements in the line.
    private var ordinaryInLine = Load()
    private var sentInLine = Load()
    private var chunk: Chunk<Element>?
    /// The bytes of the chunk, without displaced elements.
    private var bytesInChunk = 0
    /// The number of elements ever displaced from chunks.
    private var displacedFromChunks = 0

    private var unclaimed: Int { chunk?.remaining ?? 0 }

    /// - Parameter capacityBytes: The most bytes that may wait.
    init(capacityBytes: Int) {
        chunkBytes = min(64 * 1_024, capacityBytes / 16)
    }

    var count: Int { line.count + unclaimed }

    /// In bytes, exceeds the actual load by at most one chunk, and is never below it.
    var ordinary: Load {
        guard let chunk, chunk.standing.takesRoom else { return ordinaryInLine }
        return load(ordinaryInLine, with: chunk)
    }

    var sent: Load {
        guard let chunk, chunk.standing == .sent else { return sentInLine }
        return load(sentInLine, with: chunk)
    }

    private func load(_ load: Load, with chunk: Chunk<Element>) -> Load {
        let remaining = chunk.remaining
        return Load(count: load.count + remaining, bytes: load.bytes + (remaining > 0 ? bytesInChunk : 0))
    }

    var canRun: Bool { !line.isEmpty || unclaimed > 0 }

    var look: (progress: ListenerLook.Progress, isHeldUp: Bool) {
        (.claimed((chunk?.claimedCount ?? 0) - displacedFromChunks, of: chunk), canRun)
    }

    mutating func append(_ element: Element, key: String?, size: Int, _ standing: Standing) {
        if standing.takesRoom { ordinaryInLine.add(1, size) }
        if standing == .sent { sentInLine.add(1, size) }
        line.append(Item(element, size: size, standing))
    }

    mutating func append(contentsOf elements: [Element], bytes limit: Int) -> Bool {
        var bytes = 0
        // By index: a copy of a delivery retains and releases each reference in it, and iteration makes two copies.
        for position in elements.indices {
            let size = elements[position].size
            bytes += size
            line.append(Item(elements[position], size: size, .displaceable))
        }
        guard bytes <= limit else {
            line.removeLast(elements.count)
            return false
        }
        ordinaryInLine.add(elements.count, bytes)
        return true
    }

    /// Returns the chunk to claim elements from; nil if none waits. All elements of a chunk have the same standing.
    mutating func nextChunk() -> Chunk<Element>? {
        if let chunk, chunk.remaining > 0 { return chunk }
        guard let standing = line.first?.standing else {
            chunk = nil
            return nil
        }
        let length = nextLength(standing)
        bytesInChunk = length == line.count ? ordinaryInLine.bytes : bytes(ofFirst: length)
        if standing.takesRoom { ordinaryInLine.add(-length, -bytesInChunk) }
        if standing == .sent { sentInLine.add(-length, -bytesInChunk) }
        chunk = Chunk(count: length, standing: standing) { line.removeFirst().element }
        return chunk
    }

    private func nextLength(_ standing: Standing) -> Int {
        let limit = min(line.count, Self.chunkLimit)
        let areAlike =
            ordinaryInLine.count == (standing.takesRoom ? line.count : 0)
            && sentInLine.count == (standing == .sent ? line.count : 0)
        if areAlike, ordinaryInLine.bytes <= chunkBytes { return limit }
        var (length, bytes) = (1, Int(line[0].size))
        while length < limit, line[length].standing == standing {
            bytes += Int(line[length].size)
            guard bytes <= chunkBytes else { break }
            length += 1
        }
        return length
    }

    private func bytes(ofFirst length: Int) -> Int {
        var bytes = 0
        for position in 0..<length { bytes += Int(line[position].size) }
        return bytes
    }

    mutating func removeOldest(preferring key: String?) -> DisplacedElement<Element>? {
        if let chunk, chunk.standing == .displaceable, let oldest = chunk.claim() {
            bytesInChunk -= oldest.size
            displacedFromChunks += 1
            return DisplacedElement(element: oldest, rest: nil)
        }
        guard ordinaryInLine.count > sentInLine.count,
            let position = line.firstIndex(where: { $0.standing == .displaceable })
        else { return nil }
        let item = line.remove(at: position)
        ordinaryInLine.add(-1, -Int(item.size))
        return DisplacedElement(element: item.element, rest: nil)
    }

    mutating func removeAll() -> (elements: [Element], rests: [UInt64]) {
        defer {
            line.removeAll()
            (ordinaryInLine, sentInLine) = (Load(), Load())
        }
        return ((chunk?.claimAll() ?? []) + line.map(\.element), [])
    }

    mutating func removeAll(where isMeant: (Element) -> Bool) -> (elements: [Element], rests: [UInt64]) {
        var waiting = Deque<Item>()
        if let chunk {
            waiting += chunk.claimAll().map {
                Item($0, size: chunk.standing.takesRoom ? $0.size : 0, chunk.standing)
            }
        }
        waiting += line
        chunk = nil
        line = waiting.filter { !isMeant($0.element) }
        (ordinaryInLine, sentInLine) = (Load(), Load())
        for item in line where item.standing.takesRoom {
            ordinaryInLine.add(1, Int(item.size))
            if item.standing == .sent { sentInLine.add(1, Int(item.size)) }
        }
        return (waiting.map(\.element).filter(isMeant), [])
    }
}
