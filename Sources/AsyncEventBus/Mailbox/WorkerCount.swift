/// The workers of a mailbox: their number, and whether one is starting. Pure.
struct WorkerCount: Sendable {
    /// The most workers at a time.
    let limit: Int
    private(set) var count = 0
    private var isStarting = false
    /// The number of workers ever added.
    private(set) var added: UInt64 = 0

    init(limit: Int) {
        self.limit = limit
    }

    /// Whether there is room for another worker.
    var hasPlace: Bool { count < limit }

    /// Whether another worker may be started.
    ///
    /// Only one worker starts at a time; once started, it checks whether more are needed. So a burst starts a worker
    /// every few microseconds, not one per element.
    var canStart: Bool { !isStarting && hasPlace }

    /// Whether a worker has begun to run.
    var hasBegun: Bool { count > (isStarting ? 1 : 0) }

    /// A worker was requested.
    mutating func starting() {
        isStarting = true
        add()
    }

    /// The requested worker has begun to run.
    mutating func started() { isStarting = false }

    /// A worker was added that runs at once.
    mutating func add() {
        count += 1
        added += 1
    }

    mutating func retired() { count -= 1 }
}
