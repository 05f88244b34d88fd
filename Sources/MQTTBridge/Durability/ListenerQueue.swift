/// How far one listener has come with the messages in the store. Pure.
///
/// As long as it keeps up, each message goes straight from its arrival into the mailbox. When more wait than the
/// mailbox should hold, the listener falls behind: the store is then its queue, which is read on from a cursor whenever
/// half of what was handed over is finished. So a slow listener costs room in the store and not in memory, and no other
/// listener waits for it.
struct ListenerQueue: Sendable {
    /// The most bytes of payload that are handed over at a time, but for a single message.
    static let byteLimit = 8 * 1024 * 1024

    let capacity: Int
    /// Everything up to this sequence was handed over or is not for it. Only meant while it is behind.
    private(set) var cursor: Int64
    private(set) var isBehind: Bool
    private(set) var outstanding = 0
    private var bytes = 0
    /// Whether it has left the bus: what waits for it is done with.
    var isRemoved = false
    private var isReadRequested = false

    /// - Parameter isBehind: Whether the store may hold something for it.
    init(capacity: Int, isBehind: Bool) {
        self.capacity = capacity
        self.isBehind = isBehind
        cursor = 0
    }

    /// Whether it has left the bus, and nothing is left for it to be done with.
    var isOver: Bool { isRemoved && !isBehind && outstanding == 0 }

    var hasRoom: Bool { outstanding < capacity && (bytes < Self.byteLimit || outstanding == 0) }

    /// How many more messages may be handed over.
    var room: Int { hasRoom ? capacity - outstanding : 0 }

    /// A message was committed. Returns whether to hand it over; if not, it is read from the store later.
    mutating func arrived(_ sequence: Int64, size: Int) -> Bool {
        guard !isBehind else { return false }
        guard hasRoom else {
            isBehind = true
            cursor = sequence - 1
            return false
        }
        handedOver(size: size)
        return true
    }

    mutating func handedOver(size: Int) {
        outstanding += 1
        bytes += size
    }

    /// Messages up to this sequence were read from the store.
    mutating func read(through sequence: Int64) { cursor = max(cursor, sequence) }

    /// The store was read to its end.
    mutating func caughtUp() { isBehind = false }

    /// A message that was handed over is done with.
    mutating func ended(size: Int) {
        outstanding -= 1
        bytes -= size
    }

    /// Whether the store is to be read now; true once for each time.
    mutating func wantsRead() -> Bool {
        guard isBehind, !isReadRequested, outstanding <= capacity / 2, bytes <= Self.byteLimit / 2 else { return false }
        isReadRequested = true
        return true
    }

    /// The read that was wanted is taking place.
    mutating func readBegan() { isReadRequested = false }
}
