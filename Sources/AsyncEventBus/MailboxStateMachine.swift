import DequeModule

/// Decides what a mailbox does: what waits, what is displaced, when a worker starts and when it retires.
///
/// Pure: no lock, no clock, no task. The caller carries out the action that each input returns.
struct MailboxStateMachine<Element: Sendable>: Sendable {
    typealias Item = MailboxQueue<Element>.Item

    /// What to do with an element that was offered.
    enum OfferAction: Sendable {
        /// It waits. Start a worker if asked to.
        case queued(startWorker: Bool)
        /// It waits in the place of another, which is discarded. If that one rests, its rest ends.
        case displaced(Element, rest: UInt64?, startWorker: Bool)
        /// It is discarded itself: the mailbox is full and keeps what it has.
        case discarded
        /// The mailbox is closed.
        case closed
    }

    /// What to do with an element whose producer is ready to wait.
    enum SendAction: Sendable {
        /// It waits in the mailbox. Start a worker if asked to.
        case queued(startWorker: Bool)
        /// It waits outside; the token comes back in ``WorkerAction/run(_:startWorker:admitted:)``.
        case suspended
        /// The mailbox is closed.
        case closed
    }

    /// What a worker does next.
    enum WorkerAction: Sendable {
        /// Run this element, then ask again with its key, or, if it is to be tried again, begin its rest and ask
        /// without. Resume the producer of `admitted`, whose element is in.
        case run(Item, startWorker: Bool, admitted: UInt64?)
        /// Nothing is left to do: end. `isIdle` says that no other worker runs either.
        case retire(isIdle: Bool)
    }

    /// What closing sets free.
    struct CloseAction: Sendable {
        var discarded: [Element]
        var rests: [UInt64]
        var producers: [UInt64]
        var isIdle: Bool
    }

    let capacity: Int
    let limit: Int
    let policy: OverflowPolicy

    private var queue: MailboxQueue<Element>
    private var suspended = Deque<(token: UInt64, item: Item)>()
    private var workers = 0
    private var isStarting = false
    private var startedWorkers: UInt64 = 0
    private var isClosed = false

    /// How many elements were discarded because the mailbox was full.
    private(set) var dropped: UInt64 = 0
    /// Whether a discarded element has been told, and the mailbox has not been half empty since.
    private var isOverflowing = false

    init(capacity: Int, limit: Int, policy: OverflowPolicy) {
        self.capacity = capacity
        self.limit = limit
        self.policy = policy
        queue = MailboxQueue(isSerial: limit == 1)
    }

    /// How many elements wait, those that rest included.
    var count: Int { queue.count }

    private var isFull: Bool { queue.countOfOrdinary >= capacity }

    var isIdle: Bool { workers == 0 && count == 0 && suspended.isEmpty }

    /// How many workers it took so far, or nil while there is work: equal at two moments, no work was done between.
    var workersUntilIdle: UInt64? { isIdle ? startedWorkers : nil }

    /// An element arrived from a producer that does not wait.
    ///
    /// One that is kept waits whatever the mailbox holds, is never displaced, and takes up no room.
    mutating func offered(_ element: Element, key: String?, isKept: Bool = false) -> OfferAction {
        guard !isClosed else { return .closed }
        let item = Item(element, key: key, isKept: isKept)
        guard isFull, !isKept else {
            queue.append(item)
            return .queued(startWorker: startsWorker())
        }
        dropped += 1
        guard policy == .dropOldest, let oldest = queue.removeOldest(preferring: key) else { return .discarded }
        queue.append(item)
        return .displaced(oldest.item.element, rest: oldest.rest, startWorker: startsWorker())
    }

    /// Whether the drop that was just counted is the first since the mailbox was last half empty, and is to be told.
    mutating func beginsOverflow() -> Bool {
        defer { isOverflowing = true }
        return !isOverflowing
    }

    /// An element arrived from a producer that waits while the mailbox is full.
    mutating func sent(_ element: Element, key: String?, token: UInt64) -> SendAction {
        guard !isClosed else { return .closed }
        guard isFull || !suspended.isEmpty else {
            queue.append(Item(element, key: key))
            return .queued(startWorker: startsWorker())
        }
        suspended.append((token, Item(element, key: key)))
        return .suspended
    }

    /// A waiting producer was cancelled. Returns whether it was still waiting.
    mutating func sendCancelled(token: UInt64) -> Bool {
        guard let position = suspended.firstIndex(where: { $0.token == token }) else { return false }
        suspended.remove(at: position)
        return true
    }

    /// A worker has begun to run.
    mutating func workerStarted() {
        isStarting = false
    }

    /// A worker is free; `finished` is the key of the element it is done with, if that had one.
    mutating func workerAsked(finished: String?) -> WorkerAction {
        if let finished { queue.release(finished) }
        guard let item = queue.popReady() else {
            workers -= 1
            return .retire(isIdle: isIdle)
        }
        if queue.countOfOrdinary <= capacity / 2 { isOverflowing = false }
        var admitted: UInt64?
        if !isFull, let (token, waiting) = suspended.popFirst() {
            queue.append(waiting)
            admitted = token
        }
        return .run(item, startWorker: startsWorker(), admitted: admitted)
    }

    /// An element that a worker ran rests before the next attempt; its key stays busy. Returns what names the rest, or
    /// nil when the mailbox is closed: there is no next attempt.
    mutating func pauseBegan(_ item: Item) -> UInt64? {
        isClosed ? nil : queue.rest(item)
    }

    /// Whether the rest still goes on.
    func isPausing(_ token: UInt64) -> Bool { queue.isResting(token) }

    /// A rest is over: the element waits for a worker. Returns whether to start one. Without effect on a rest that
    /// ended otherwise.
    mutating func pauseEnded(_ token: UInt64) -> Bool {
        queue.wake(token) && startsWorker()
    }

    /// The mailbox is closed: nothing that waits will run. What runs now runs to its end.
    mutating func closed() -> CloseAction {
        isClosed = true
        let waiting = queue.removeAll()
        let action = CloseAction(
            discarded: waiting.elements + suspended.map(\.item.element),
            rests: waiting.rests,
            producers: suspended.map(\.token),
            isIdle: workers == 0
        )
        suspended.removeAll()
        return action
    }

    /// At most one worker is on its way at a time: one that has started looks for itself whether more are needed.
    /// So a burst costs a worker each few microseconds, not a worker an element.
    private mutating func startsWorker() -> Bool {
        guard !isStarting, workers < limit, queue.canRun else { return false }
        workers += 1
        isStarting = true
        startedWorkers += 1
        return true
    }
}
