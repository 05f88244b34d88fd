/// What waits in a mailbox, with what it counts towards the bytes that this holds.
protocol Sized: Sendable {
    /// In bytes.
    var size: Int { get }
}

/// How much waits: in number and in bytes.
struct Load: Sendable {
    var count = 0
    var bytes = 0

    mutating func add(_ number: Int, _ size: Int) {
        count += number
        bytes += size
    }
}

/// The most that may wait: in number and in bytes.
struct Room: Sendable {
    let count: Int
    let bytes: Int

    /// Whether an element of that size has room beside a load. One that is larger than all the room has where nothing else
    /// is.
    func takes(_ size: Int, beside load: Load) -> Bool {
        load.count < count && (load.bytes + size <= bytes || load.count == 0)
    }

    func isHalfEmpty(_ load: Load) -> Bool { load.count <= count / 2 && load.bytes <= bytes / 2 }
}
