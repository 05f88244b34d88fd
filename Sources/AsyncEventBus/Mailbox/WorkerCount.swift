/// How many workers a mailbox has, and whether one is on its way. Pure.
struct WorkerCount: Sendable {
    /// The most workers at a time.
    let limit: Int
    private(set) var count = 0
    private var isStarting = false
    /// How many workers were ever added.
    private(set) var added: UInt64 = 0

    init(limit: Int) {
        self.limit = limit
    }

    /// Whether there is a place for another worker.
    var hasPlace: Bool { count < limit }

    /// Whether another worker may be started.
    ///
    /// One worker is on its way at a time: when it has started, it looks whether more are needed. So a burst costs a
    /// worker each few microseconds, not a worker an element.
    var canStart: Bool { !isStarting && hasPlace }

    /// Whether a worker has begun to run.
    var hasBegun: Bool { count > (isStarting ? 1 : 0) }

    /// A worker was asked for.
    mutating func starting() {
        isStarting = true
        add()
    }

    /// The worker that was asked for has begun to run.
    mutating func started() { isStarting = false }

    /// A worker was added that runs at once.
    mutating func add() {
        count += 1
        added += 1
    }

    mutating func retired() { count -= 1 }
}
