import DequeModule

/// Decides what a subscription does: what waits for the reader, what is displaced, when the reader is resumed. Pure.
struct SubscriptionStateMachine<Element: Sendable>: Sendable {
    /// What to do with an element that was offered.
    enum OfferAction: Sendable {
        case queued
        case handOver(Element)
        case displaced(Element)
        case discarded
    }

    /// What to do for a reader that asks.
    enum ReadAction: Sendable {
        case element(Element, admitted: UInt64?)
        case wait
        case end
    }

    let capacity: Int
    let policy: OverflowPolicy
    private var waiting = Deque<Element>()
    private var suspended = Deque<(token: UInt64, element: Element)>()
    private var hasReader = false
    private var isClosed = false
    private(set) var dropped: UInt64 = 0
    private var isOverflowing = false

    init(capacity: Int, policy: OverflowPolicy) {
        self.capacity = capacity
        self.policy = policy
    }

    mutating func offered(_ element: Element) -> OfferAction {
        guard !isClosed else { return .discarded }
        if hasReader {
            hasReader = false
            return .handOver(element)
        }
        guard waiting.count >= capacity else {
            waiting.append(element)
            return .queued
        }
        dropped += 1
        guard policy == .dropOldest, let oldest = waiting.popFirst() else { return .discarded }
        waiting.append(element)
        return .displaced(oldest)
    }

    /// Whether the drop that was just counted is the first since half of the places were free, and is to be told.
    mutating func beginsOverflow() -> Bool {
        defer { isOverflowing = true }
        return !isOverflowing
    }

    /// An element whose producer waits while there is no room. Nil means: suspend the producer.
    mutating func sent(_ element: Element, token: UInt64) -> OfferAction? {
        guard waiting.count < capacity || hasReader || isClosed else {
            suspended.append((token, element))
            return nil
        }
        return offered(element)
    }

    mutating func sendCancelled(token: UInt64) -> Bool {
        guard let position = suspended.firstIndex(where: { $0.token == token }) else { return false }
        suspended.remove(at: position)
        return true
    }

    mutating func asked() -> ReadAction {
        guard let element = waiting.popFirst() else {
            if isClosed { return .end }
            precondition(!hasReader, "a subscription has one reader")
            hasReader = true
            return .wait
        }
        if waiting.count <= capacity / 2 { isOverflowing = false }
        guard let (token, next) = suspended.popFirst() else { return .element(element, admitted: nil) }
        waiting.append(next)
        return .element(element, admitted: token)
    }

    mutating func readCancelled() -> Bool {
        defer { hasReader = false }
        return hasReader
    }

    /// No more comes in. Returns what waited, the producers that wait, and whether a reader does.
    mutating func closed() -> (discarded: [Element], producers: [UInt64], hadReader: Bool) {
        isClosed = true
        defer {
            waiting.removeAll()
            suspended.removeAll()
            hasReader = false
        }
        return (waiting + suspended.map(\.element), suspended.map(\.token), hasReader)
    }
}
