import DequeModule

/// The entrance of a mailbox: its room and policy, the line inside, and the producers that wait outside. Pure.
struct Intake<Line: WaitingLine>: Sendable {
    /// An element whose producer waits outside.
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
    /// How many elements were discarded because the mailbox was full.
    private(set) var dropped: UInt64 = 0
    /// Whether a drop was reported, and the mailbox has not been half empty since.
    private var isOverflowing = false

    init(room: Room, policy: OverflowPolicy, line: Line) {
        self.room = room
        self.policy = policy
        self.line = line
    }

    /// Whether producers wait outside.
    var hasProducers: Bool { !producers.isEmpty }

    func hasRoom(for size: Int) -> Bool { room.takes(size, beside: line.ordinary) }

    /// Whether an element gets in that waits its turn behind other producers.
    func isOpen(for size: Int) -> Bool { hasRoom(for: size) && producers.isEmpty }

    /// Ends an overflow if the mailbox was half empty with that load.
    mutating func noteLoad(_ load: Load) {
        if room.isHalfEmpty(load) { isOverflowing = false }
    }

    mutating func countDrop() { dropped += 1 }

    /// Returns whether the drop that was just counted is the first since the mailbox was last half empty.
    mutating func beginsOverflow() -> Bool {
        defer { isOverflowing = true }
        return !isOverflowing
    }

    mutating func suspend(_ producer: Suspended) { producers.append(producer) }

    /// Takes back an element whose producer still waits.
    mutating func cancelProducer(_ token: UInt64) -> Line.Element? {
        producers.firstIndex { $0.token == token }.map { producers.remove(at: $0).element }
    }

    /// Lets in the producer that has waited longest, if there is room for its element: nobody passes it.
    ///
    /// - Returns: Its token.
    mutating func admitNext() -> UInt64? {
        guard let first = producers.first, hasRoom(for: first.size) else { return nil }
        producers.removeFirst()
        line.append(first.element, key: first.key, size: first.size, .sent)
        return first.token
    }

    /// Closes the entrance. Returns what waited outside.
    mutating func close() -> [Suspended] {
        isClosed = true
        defer { producers.removeAll() }
        return producers.map { $0 }
    }
}
