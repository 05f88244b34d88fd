import DequeModule

/// Decides what a mailbox does: what waits, what is displaced, when a worker starts and when it retires.
///
/// Pure: no lock, no clock, no task. The caller carries out the action that each input returns.
///
/// Workers ask for one element at a time, or, where elements have no keys and do not come back to rest, for a chunk of
/// them: see ``chunkAsked(by:)``.
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

    /// What waits; empty where workers take chunks.
    private var queue: MailboxQueue<Element>
    /// What waits where workers take chunks.
    var chunks: ChunkQueue<Element>?
    var shifts: Shifts
    private var suspended = Deque<(token: UInt64, item: Item)>()
    var workers = 0
    private var isStarting = false
    private var startedWorkers: UInt64 = 0
    private var isClosed = false

    /// How many elements were discarded because the mailbox was full.
    private(set) var dropped: UInt64 = 0
    /// Whether a discarded element has been told, and the mailbox has not been half empty since.
    private var isOverflowing = false

    /// - Parameters:
    ///   - takesChunks: Whether workers ask for chunks. Then elements have no keys, and do not rest.
    ///   - threads: How many workers can have a thread at the same time.
    init(capacity: Int, limit: Int, policy: OverflowPolicy, takesChunks: Bool = false, threads: Int = .max) {
        self.capacity = capacity
        self.limit = limit
        self.policy = policy
        queue = MailboxQueue(isSerial: limit == 1)
        chunks = takesChunks ? ChunkQueue() : nil
        shifts = Shifts(threads: threads)
    }

    /// How many elements wait, those that rest included.
    var count: Int { chunks?.count ?? queue.count }

    private var countOfOrdinary: Int { chunks?.countOfOrdinary ?? queue.countOfOrdinary }

    private var isFull: Bool { countOfOrdinary >= capacity }

    /// Whether producers wait outside.
    var hasProducers: Bool { !suspended.isEmpty }

    var isIdle: Bool { workers == 0 && count == 0 && suspended.isEmpty }

    /// How many workers it took so far, or nil while there is work: equal at two moments, no work was done between.
    var workersUntilIdle: UInt64? { isIdle ? startedWorkers : nil }

    /// An element arrived from a producer that does not wait.
    ///
    /// One that is kept waits whatever the mailbox holds, is never displaced, and takes up no room.
    mutating func offered(_ element: Element, key: String?, isKept: Bool = false) -> OfferAction {
        guard !isClosed else { return .closed }
        let ordinary = countOfOrdinary
        if ordinary <= capacity / 2 { isOverflowing = false }
        guard ordinary >= capacity, !isKept else {
            append(element, key: key, isKept: isKept)
            return .queued(startWorker: startsWorker())
        }
        guard policy == .dropOldest else {
            dropped += 1
            return .discarded
        }
        let oldest = removeOldest(preferring: key)
        // Without one, workers have made room meanwhile.
        if oldest != nil { dropped += 1 }
        append(element, key: key, isKept: false)
        let startWorker = startsWorker()
        guard let oldest else { return .queued(startWorker: startWorker) }
        return .displaced(oldest.element, rest: oldest.rest, startWorker: startWorker)
    }

    /// Elements arrived together from a producer that does not wait, none of them to be kept. Returns whether to start a
    /// worker; nil, and nothing has changed, where they are to be offered one after the other: those that have keys, and
    /// those for which there is not room enough.
    mutating func offeredTogether(_ elements: [Element]) -> Bool? {
        let ordinary = countOfOrdinary
        guard !isClosed, chunks != nil, elements.count <= capacity - ordinary else { return nil }
        if ordinary <= capacity / 2 { isOverflowing = false }
        chunks?.append(contentsOf: elements)
        return startsWorker()
    }

    private mutating func append(_ element: Element, key: String?, isKept: Bool) {
        if chunks?.append(element, isKept: isKept) == nil { queue.append(Item(element, key: key, isKept: isKept)) }
    }

    private mutating func removeOldest(preferring key: String?) -> (element: Element, rest: UInt64?)? {
        guard chunks == nil else { return isFull ? chunks?.removeOldest().map { ($0, nil) } : nil }
        return queue.removeOldest(preferring: key).map { ($0.item.element, $0.rest) }
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
            append(element, key: key, isKept: false)
            return .queued(startWorker: startsWorker())
        }
        suspended.append((token, Item(element, key: key)))
        return .suspended
    }

    /// As ``sent(_:key:token:)``, but where the producer would have to wait nothing changes.
    mutating func sentWithRoom(_ element: Element, key: String?) -> SendAction {
        isFull || hasProducers ? .suspended : sent(element, key: key, token: 0)
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
        if countOfOrdinary <= capacity / 2 { isOverflowing = false }
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
        let inChunks = chunks?.removeAll() ?? []
        let action = CloseAction(
            discarded: inChunks + waiting.elements + suspended.map(\.item.element),
            rests: waiting.rests,
            producers: suspended.map(\.token),
            isIdle: workers == 0
        )
        suspended.removeAll()
        return action
    }

    /// Lets producers in as far as there is room. Returns their tokens.
    mutating func admitted() -> [UInt64] {
        var tokens: [UInt64] = []
        while !isFull, let (token, item) = suspended.popFirst() {
            append(item.element, key: item.key, isKept: item.isKept)
            tokens.append(token)
        }
        return tokens
    }

    /// Whether there is an element that nobody runs and that may run.
    var canRun: Bool { chunks?.canRun ?? queue.canRun }

    /// At most one worker is on its way at a time: one that has started looks for itself whether more are needed.
    /// So a burst costs a worker each few microseconds, not a worker an element.
    mutating func startsWorker() -> Bool {
        // When half of the room is taken, whoever is on duty may be blocked.
        guard !isStarting, workers < limit, canRun,
            shifts.needsWorker || (countOfOrdinary > capacity / 2 && shifts.hasThread)
        else { return false }
        isStarting = true
        addWorker()
        return true
    }

    mutating func addWorker() {
        workers += 1
        startedWorkers += 1
    }
}
