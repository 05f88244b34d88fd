/// The read position of one listener in the store. Pure.
struct ListenerQueue: Sendable {
    /// The maximum size of the outstanding messages, in bytes; a single message may be larger.
    static let byteLimit = 8 * 1024 * 1024

    private(set) var cursor: StoreCursor
    /// The last sequence whose suspect messages have start marks in the store.
    private(set) var markedThrough: Int64 = 0
    /// Whether the listener has left the bus, which finishes its messages.
    var isRemoved = false

    /// - Parameter isBehind: Whether the store may hold messages for the listener.
    init(capacity: Int, isBehind: Bool) {
        cursor = StoreCursor(capacity: capacity, byteLimit: Self.byteLimit, isBehind: isBehind)
    }

    var isBehind: Bool { cursor.isBehind }

    /// The number of delivered messages that are unfinished.
    var outstanding: Int { cursor.outstanding }

    /// Whether the listener has left the bus, and all its messages are finished.
    var isOver: Bool { isRemoved && !isBehind && outstanding == 0 }

    /// A message was committed. Returns whether to deliver it; if not, it is read from the store later.
    mutating func arrived(_ sequence: Int64, size: Int) -> Bool {
        guard !isBehind else { return false }
        guard cursor.hasRoom else {
            cursor.fallBehind(at: sequence)
            return false
        }
        delivered(size: size)
        return true
    }

    mutating func delivered(size: Int) { cursor.began(size: size) }

    /// Messages up to this sequence were read from the store.
    mutating func read(through sequence: Int64) { cursor.advance(through: sequence) }

    /// The start marks of messages up to this sequence are about to be committed; the messages are read again
    /// afterwards.
    mutating func marked(through sequence: Int64) {
        markedThrough = sequence
        cursor.readIsDue()
    }

    /// The store was read to its end.
    mutating func caughtUp() { cursor.caughtUp() }

    /// A delivered message is finished.
    mutating func ended(size: Int) { cursor.ended(size: size) }

    /// Whether to read the store now. Returns true once for each read.
    mutating func wantsRead() -> Bool { cursor.wantsRead() }

    /// A read takes place: ``wantsRead()`` may ask for the next one.
    mutating func readBegan() { cursor.readBegan() }
}
