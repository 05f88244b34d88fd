/// The turn of a worker on its thread. The pool has few threads, so a turn is short.
struct WorkerTurn {
    /// The number of calls in a turn.
    static let length = 64
    /// The length of a turn with slow calls, in nanoseconds.
    private static let time: Int64 = 300_000

    var calls = 0
    private var began = WorkerClock.now

    /// Whether the worker has kept the thread for long. Reads the clock.
    var isLong: Bool { WorkerClock.now - began > Self.time }

    mutating func begin() { began = WorkerClock.now }
}
