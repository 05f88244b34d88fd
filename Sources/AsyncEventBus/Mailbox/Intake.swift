import DequeModule

/// The entrance of a mailbox: its capacity and policy, its queue, and the producers that wait for room. Pure.
struct Intake<Line: WaitingLine>: Sendable {
    /// An element whose producer waits for room.
    struct Suspended: Sendable {
        let token: UInt64
        let element: Line.Element
        let key: String?
        let size: Int
    }

    let room: Room
    let policy: OverflowPolicy
    var line: Line
    private var producers = Deque<Suspended>()
    private(set) var isClosed = false
    /// The number of elements that were discarded because the mailbox was full.
    private(set) var dropped: UInt64 = 0
    /// Whether a drop was reported since the mailbox was last half empty.
    private var isOverflowing = false

    init(room: Room, policy: OverflowPolicy, line: Line) {
        self.room = room
        self.policy = policy
        self.line = line
    }

    /// Whether producers wait for room.
    var hasProducers: Bool { !producers.isEmpty }

    func hasRoom(for size: Int) -> Bool { room.takes(size, beside: line.ordinary) }

    /// Whether an element can enter at once: there is room, and no producer waits.
    func isOpen(for size: Int) -> Bool { hasRoom(for: size) && producers.isEmpty }

    /// Ends an overflow if the mailbox was half empty with this load.
    mutating func noteLoad(_ load: Load) {
        if room.isHalfEmpty(load) { isOverflowing = false }
    }

    mutating func countDrop() { dropped += 1 }

    /// Returns whether the latest drop is the first since the mailbox was last half empty.
    mutating func beginsOverflow() -> Bool {
        defer { isOverflowing = true }
        return !isOverflowing
    }

    mutating func suspend(_ producer: Suspended) { producers.append(producer) }

    /// Removes the element of a producer that still waits.
    mutating func cancelProducer(_ token: UInt64) -> Line.Element? {
        producers.firstIndex { $0.token == token }.map { producers.remove(at: $0).element }
    }

    /// Admits the producer that has waited longest, if there is room for its element. No producer overtakes it.
    ///
    /// - Returns: Its token.
    mutating func admitNext() -> UInt64? {
        guard let first = producers.first, hasRoom(for: first.size) else { return nil }
        producers.removeFirst()
        line.append(first.element, key: first.key, size: first.size, .sent)
        return first.token
    }

    /// Closes the entrance. Returns the elements of waiting producers.
    mutating func close() -> [Suspended] {
        isClosed = true
        defer { producers.removeAll() }
        return producers.map { $0 }
    }
}
