/// How long a worker has kept its thread: the pool has few of them.
struct WorkerTurn {
    /// After how many calls it lets others have the thread.
    static let length = 64
    /// How long it keeps the thread if calls take long, in nanoseconds.
    private static let time: Int64 = 300_000

    var calls = 0
    private var began = WorkerClock.now

    /// Whether it has kept the thread for long. Reads the clock.
    var isLong: Bool { WorkerClock.now - began > Self.time }

    mutating func begin() { began = WorkerClock.now }
}
