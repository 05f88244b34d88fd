/// An element of a mailbox, with the size that counts against the capacity.
protocol Sized: Sendable {
    /// In bytes.
    var size: Int { get }
}

/// The number and the bytes of waiting elements.
struct Load: Sendable {
    var count = 0
    var bytes = 0

    mutating func add(_ number: Int, _ size: Int) {
        count += number
        bytes += size
    }
}

/// The capacity of a mailbox, in number and in bytes.
struct Room: Sendable {
    let count: Int
    let bytes: Int

    /// Whether an element of this size has room beside a load. An element larger than the capacity has room only if the
    /// load is empty.
    func takes(_ size: Int, beside load: Load) -> Bool {
        load.count < count && (load.bytes + size <= bytes || load.count == 0)
    }

    func isHalfEmpty(_ load: Load) -> Bool { load.count <= count / 2 && load.bytes <= bytes / 2 }
}
