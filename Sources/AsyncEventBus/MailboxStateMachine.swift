import DequeModule

/// Decides what a mailbox does: what waits, what is displaced, when a worker starts and when it retires.
///
/// Pure: no lock, no clock, no task. The caller carries out the action that each input returns.
struct MailboxStateMachine<Element: Sendable>: Sendable {
    private struct Item: Sendable {
        let element: Element
        let key: String?
        /// Its place in the order of arrival.
        var number: UInt64 = 0
    }

    /// What to do with an element that was offered.
    enum OfferAction: Sendable {
        /// It waits. Start a worker if asked to.
        case queued(startWorker: Bool)
        /// It waits in the place of another, which is discarded.
        case displaced(Element, startWorker: Bool)
        /// It is discarded itself: the mailbox is full and keeps what it has.
        case discarded
        /// The mailbox is closed.
        case closed
    }

    /// What to do with an element whose producer is ready to wait.
    enum SendAction: Sendable {
        /// It waits in the mailbox. Start a worker if asked to.
        case queued(startWorker: Bool)
        /// It waits outside; the token comes back in ``WorkerAction/run(_:key:startWorker:admitted:)``.
        case suspended
        /// The mailbox is closed.
        case closed
    }

    /// What a worker does next.
    enum WorkerAction: Sendable {
        /// Run this element, then ask again with its key. Resume the producer of `admitted`, whose element is in.
        case run(Element, key: String?, startWorker: Bool, admitted: UInt64?)
        /// Nothing is left to do: end. `isIdle` says that no other worker runs either.
        case retire(isIdle: Bool)
    }

    /// What closing sets free.
    struct CloseAction: Sendable {
        var discarded: [Element]
        var producers: [UInt64]
        var isIdle: Bool
    }

    let capacity: Int
    let limit: Int
    let policy: OverflowPolicy

    private var ready = Deque<Item>()
    private var held: [String: Deque<Item>] = [:]
    private var heldCount = 0
    private var busyKeys: Set<String> = []
    private var suspended = Deque<(token: UInt64, item: Item)>()
    private var nextNumber: UInt64 = 0
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
    }

    /// How many elements wait.
    var count: Int { ready.count + heldCount }

    var isIdle: Bool { workers == 0 && count == 0 && suspended.isEmpty }

    /// How many workers it took so far, or nil while there is work: equal at two moments, no work was done between.
    var workersUntilIdle: UInt64? { isIdle ? startedWorkers : nil }

    /// An element arrived from a producer that does not wait.
    mutating func offered(_ element: Element, key: String?) -> OfferAction {
        guard !isClosed else { return .closed }
        guard count >= capacity else {
            append(Item(element: element, key: key))
            return .queued(startWorker: startsWorker())
        }
        dropped += 1
        guard policy == .dropOldest, let oldest = removeOldest(preferring: key) else { return .discarded }
        append(Item(element: element, key: key))
        return .displaced(oldest.element, startWorker: startsWorker())
    }

    /// Whether the drop that was just counted is the first since the mailbox was last half empty, and is to be told.
    mutating func beginsOverflow() -> Bool {
        defer { isOverflowing = true }
        return !isOverflowing
    }

    /// An element arrived from a producer that waits while the mailbox is full.
    mutating func sent(_ element: Element, key: String?, token: UInt64) -> SendAction {
        guard !isClosed else { return .closed }
        guard count >= capacity || !suspended.isEmpty else {
            append(Item(element: element, key: key))
            return .queued(startWorker: startsWorker())
        }
        suspended.append((token, Item(element: element, key: key)))
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

    /// A worker is free; `finished` is the key of the element it ran, if that had one.
    mutating func workerAsked(finished: String?) -> WorkerAction {
        if let finished { release(finished) }
        guard let item = ready.popFirst() else {
            workers -= 1
            return .retire(isIdle: isIdle)
        }
        if count <= capacity / 2 { isOverflowing = false }
        var admitted: UInt64?
        if let (token, waiting) = suspended.popFirst() {
            append(waiting)
            admitted = token
        }
        let startWorker = !ready.isEmpty && startsWorker()
        return .run(item.element, key: item.key, startWorker: startWorker, admitted: admitted)
    }

    /// The mailbox is closed: nothing that waits will run. What runs now runs to its end.
    mutating func closed() -> CloseAction {
        isClosed = true
        let waiting = ready.map(\.element) + held.values.flatMap { $0.map(\.element) }
        let action = CloseAction(
            discarded: waiting + suspended.map(\.item.element),
            producers: suspended.map(\.token),
            isIdle: workers == 0
        )
        ready.removeAll()
        held.removeAll()
        heldCount = 0
        suspended.removeAll()
        return action
    }

    /// At most one worker is on its way at a time: one that has started looks for itself whether more are needed.
    /// So a burst costs a worker each few microseconds, not a worker an element.
    private mutating func startsWorker() -> Bool {
        guard !isStarting, workers < limit, !ready.isEmpty else { return false }
        workers += 1
        isStarting = true
        startedWorkers += 1
        return true
    }

    private mutating func append(_ item: Item) {
        var item = item
        item.number = nextNumber
        nextNumber += 1
        guard let key = item.key else {
            ready.append(item)
            return
        }
        if busyKeys.insert(key).inserted {
            ready.append(item)
        } else {
            held[key, default: []].append(item)
            heldCount += 1
        }
    }

    /// The element of `key` that ran, or was displaced, is out of the way: the next one of that key may run.
    private mutating func release(_ key: String) {
        guard let next = takeHeld(key) else {
            busyKeys.remove(key)
            return
        }
        ready.append(next)
    }

    private mutating func takeHeld(_ key: String) -> Item? {
        guard let position = held.index(forKey: key) else { return nil }
        let item = held.values[position].removeFirst()
        heldCount -= 1
        if held.values[position].isEmpty { held.remove(at: position) }
        return item
    }

    /// Takes out what has waited longest: of `key` if one of that key waits, else of all.
    private mutating func removeOldest(preferring key: String?) -> Item? {
        guard let key else { return ready.popFirst() }
        if let position = ready.firstIndex(where: { $0.key == key }) { return removeReady(at: position) }
        if let item = takeHeld(key) { return item }
        let position = ready.indices.min { ready[$0].number < ready[$1].number }
        let behind = held.lazy.map { (key: $0.key, number: $0.value[0].number) }.min { $0.number < $1.number }
        guard let position else { return behind.flatMap { takeHeld($0.key) } }
        if let behind, behind.number < ready[position].number { return takeHeld(behind.key) }
        return removeReady(at: position)
    }

    private mutating func removeReady(at position: Int) -> Item {
        let item = ready.remove(at: position)
        if let key = item.key { release(key) }
        return item
    }
}
