import DequeModule

/// Decides what a subscription does: which elements wait or are displaced, and when the reader resumes. Pure.
struct SubscriptionStateMachine<Element: Sized>: Sendable {
    /// The result for an offered element.
    enum OfferAction: Sendable {
        case queued
        case handOver(Element)
        /// It waits in place of these.
        case displaced([Element])
        case discarded
    }

    /// The result for a reader.
    enum ReadAction: Sendable {
        case element(Element, admitted: UInt64?)
        case wait
        case end
    }

    let room: Room
    let policy: OverflowPolicy
    private var waiting = Deque<(element: Element, isSent: Bool)>()
    private var load = Load()
    /// The part of ``load`` that was sent, and is never displaced.
    private var sent = Load()
    private var suspended = Deque<(token: UInt64, element: Element)>()
    private var hasReader = false
    private var isClosed = false
    private(set) var dropped: UInt64 = 0
    private var isOverflowing = false

    init(capacity: Int, capacityBytes: Int = .max, policy: OverflowPolicy) {
        room = Room(count: capacity, bytes: capacityBytes)
        self.policy = policy
    }

    mutating func offered(_ element: Element) -> OfferAction {
        guard !isClosed else { return .discarded }
        let size = element.size
        guard !room.takes(size, beside: load), !hasReader else { return take(element, isSent: false) }
        guard policy == .dropOldest, room.takes(size, beside: sent) else {
            dropped += 1
            return .discarded
        }
        var displaced: [Element] = []
        while !room.takes(size, beside: load), let oldest = removeOldest() { displaced.append(oldest) }
        dropped += UInt64(displaced.count)
        append(element, isSent: false)
        return .displaced(displaced)
    }

    /// Takes an element for which there is room or a reader.
    private mutating func take(_ element: Element, isSent: Bool) -> OfferAction {
        if hasReader {
            hasReader = false
            return .handOver(element)
        }
        append(element, isSent: isSent)
        return .queued
    }

    private mutating func append(_ element: Element, isSent: Bool) {
        waiting.append((element, isSent))
        changed(by: 1, element, isSent: isSent)
    }

    private mutating func changed(by number: Int, _ element: Element, isSent: Bool) {
        let bytes = number * element.size
        load.add(number, bytes)
        if isSent { sent.add(number, bytes) }
    }

    /// Removes the element that has waited longest, apart from sent ones.
    private mutating func removeOldest() -> Element? {
        let position = sent.count == 0 ? waiting.indices.first : waiting.firstIndex { !$0.isSent }
        guard let oldest = position.map({ waiting.remove(at: $0).element }) else { return nil }
        changed(by: -1, oldest, isSent: false)
        return oldest
    }

    /// Returns whether the latest drop is the first since the subscription was half empty, and must be reported.
    mutating func beginsOverflow() -> Bool {
        defer { isOverflowing = true }
        return !isOverflowing
    }

    /// An element arrived from a producer that waits while there is no room. Returns nil to suspend the producer.
    mutating func sent(_ element: Element, token: UInt64) -> OfferAction? {
        guard hasReader || isClosed || suspended.isEmpty && room.takes(element.size, beside: load) else {
            suspended.append((token, element))
            return nil
        }
        return isClosed ? .discarded : take(element, isSent: true)
    }

    /// A waiting producer was cancelled. Returns its element if it still waited.
    mutating func sendCancelled(token: UInt64) -> Element? {
        suspended.firstIndex { $0.token == token }.map { suspended.remove(at: $0).element }
    }

    mutating func asked() -> ReadAction {
        guard let (element, isSent) = waiting.popFirst() else {
            if isClosed { return .end }
            precondition(!hasReader, "a subscription has one reader")
            hasReader = true
            return .wait
        }
        changed(by: -1, element, isSent: isSent)
        if room.isHalfEmpty(load) { isOverflowing = false }
        guard let (token, next) = suspended.first, room.takes(next.size, beside: load) else {
            return .element(element, admitted: nil)
        }
        suspended.removeFirst()
        append(next, isSent: true)
        return .element(element, admitted: token)
    }

    mutating func readCancelled() -> Bool {
        defer { hasReader = false }
        return hasReader
    }

    /// The subscription ends. Returns the waiting elements, the waiting producers, and whether a reader waits.
    mutating func closed() -> (discarded: [Element], producers: [UInt64], hadReader: Bool) {
        isClosed = true
        defer {
            waiting.removeAll()
            (load, sent) = (Load(), Load())
            suspended.removeAll()
            hasReader = false
        }
        return (waiting.map(\.element) + suspended.map(\.element), suspended.map(\.token), hasReader)
    }
}
