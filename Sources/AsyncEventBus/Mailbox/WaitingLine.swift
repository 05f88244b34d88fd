/// What waits in a mailbox, and what of it is taken out next. Pure.
protocol WaitingLine: Sendable {
    associatedtype Element: Sized

    /// How many elements wait.
    var count: Int { get }

    /// The load that takes up room.
    var ordinary: Load { get }

    /// The part of ``ordinary`` that is never displaced.
    var sent: Load { get }

    /// Whether an element waits that a worker may run now.
    var canRun: Bool { get }

    /// Where calls are, and whether an element waits for the end of one, or for a worker.
    var look: (progress: ListenerLook.Progress, isHeldUp: Bool) { get }

    /// Appends one element. `size` is what it counts in bytes, 0 if it takes up no room.
    mutating func append(_ element: Element, key: String?, size: Int, _ standing: Standing)

    /// Appends displaceable elements that have no keys if they count at most `limit` bytes.
    ///
    /// - Returns: Whether it did; if not, nothing has changed, and the caller appends them one by one.
    mutating func append(contentsOf elements: [Element], bytes limit: Int) -> Bool

    /// Takes out the displaceable element that has waited longest: of `key` if one of that key waits, else of all.
    mutating func removeOldest(preferring key: String?) -> DisplacedElement<Element>?

    /// Takes out everything, and names the rests that end with that.
    mutating func removeAll() -> (elements: [Element], rests: [UInt64])

    /// Takes out the elements for which a condition holds, and names the rests that end with that.
    mutating func removeAll(where isMeant: (Element) -> Bool) -> (elements: [Element], rests: [UInt64])
}

/// An element that made room for another one.
struct DisplacedElement<Element: Sized>: Sendable {
    let element: Element
    /// Names the rest that ends, if it rested.
    let rest: UInt64?
}
