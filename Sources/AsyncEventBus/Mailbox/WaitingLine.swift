/// The queue of a mailbox, which decides the next element. Failed elements may rest there before a retry. Pure.
protocol WaitingLine: Sendable {
    associatedtype Element: Sized

    /// The number of waiting elements.
    var count: Int { get }

    /// The load that takes up room.
    var ordinary: Load { get }

    /// The part of ``ordinary`` that is never displaced.
    var sent: Load { get }

    /// Whether a waiting element can run now.
    var canRun: Bool { get }

    /// The progress of calls, and whether an element waits for the end of a call or for a worker.
    var look: (progress: ListenerLook.Progress, isHeldUp: Bool) { get }

    /// Appends an element. `size` is its size in bytes, 0 if it takes up no room.
    mutating func append(_ element: Element, key: String?, size: Int, _ standing: Standing)

    /// Appends displaceable elements without keys, if their sizes total at most `limit` bytes.
    ///
    /// - Returns: Whether they were appended; if not, nothing has changed, and the caller appends them one by one.
    mutating func append(contentsOf elements: [Element], bytes limit: Int) -> Bool

    /// Removes the displaceable element that has waited longest: of `key` if one of that key waits, else of all.
    mutating func removeOldest(preferring key: String?) -> DisplacedElement<Element>?

    /// Removes all elements. Returns them, and the rests that end.
    mutating func removeAll() -> (elements: [Element], rests: [UInt64])

    /// Removes the elements for which a condition holds. Returns them, and the rests that end.
    mutating func removeAll(where isMeant: (Element) -> Bool) -> (elements: [Element], rests: [UInt64])
}

/// An element that made room for another one.
struct DisplacedElement<Element: Sized>: Sendable {
    let element: Element
    /// The rest that ends, if the element was resting.
    let rest: UInt64?
}
