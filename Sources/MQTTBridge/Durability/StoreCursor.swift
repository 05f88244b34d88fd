/// The read position of one receiver of stored messages, which is a listener or a broker. Pure.
///
/// While the receiver keeps up, it gets each message directly from the commit. When its capacity is used up, it falls
/// behind: the store is then its queue, and is read from the cursor whenever half of the capacity is free. So a slow
/// receiver uses space in the store but not in memory, and does not delay other receivers.
struct StoreCursor: Sendable {
    /// The maximum number of outstanding messages.
    let capacity: Int
    /// The maximum size of the outstanding messages, in bytes; a single message may be larger.
    let byteLimit: Int
    /// The last sequence that was given to the receiver or is not for it. Only meaningful while it is behind.
    private(set) var sequence: Int64 = 0
    /// Whether the store may hold messages that are still to be read for the receiver.
    private(set) var isBehind: Bool
    /// The number of messages that the receiver has and has not finished.
    private(set) var outstanding = 0
    private var bytes = 0
    private var isReadRequested = false

    init(capacity: Int, byteLimit: Int, isBehind: Bool) {
        self.capacity = capacity
        self.byteLimit = byteLimit
        self.isBehind = isBehind
    }

    var hasRoom: Bool { outstanding < capacity && (bytes < byteLimit || outstanding == 0) }

    /// The number of messages that the receiver may be given.
    var room: Int { hasRoom ? capacity - outstanding : 0 }

    // MARK: Outstanding messages

    /// The receiver was given a message.
    mutating func began(size: Int) {
        outstanding += 1
        bytes += size
    }

    /// The receiver has finished a message, or no longer has it.
    mutating func ended(size: Int) {
        outstanding -= 1
        bytes -= size
    }

    // MARK: Falling behind

    /// This message and all later ones are to be read from the store.
    mutating func fallBehind(at sequence: Int64) {
        isBehind = true
        self.sequence = sequence - 1
    }

    /// The store was read up to this sequence.
    mutating func advance(through sequence: Int64) { self.sequence = max(self.sequence, sequence) }

    /// The store was read to its end.
    mutating func caughtUp() { isBehind = false }

    // MARK: Reading

    /// Whether to read the store now, since half of the capacity is free. Returns true once for each read.
    mutating func wantsRead() -> Bool {
        guard isBehind, !isReadRequested, outstanding <= capacity / 2, bytes <= byteLimit / 2 else { return false }
        isReadRequested = true
        return true
    }

    /// A read takes place: ``wantsRead()`` may ask for the next one.
    mutating func readBegan() { isReadRequested = false }

    /// A read is scheduled otherwise: ``wantsRead()`` returns false until it takes place.
    mutating func readIsDue() { isReadRequested = true }
}
