/// Measures how long the calls of a worker take, now and then.
struct Pace {
    /// Calls since the latest measurement.
    var count = 0
    private var since = WorkerClock.now

    /// Whether the latest calls took less time, each, than it takes to start another worker.
    private(set) var isQuick = false

    /// Measures, if there were enough calls. Returns whether there were.
    mutating func measure() -> Bool {
        guard count >= 8 else { return false }
        let now = WorkerClock.now
        isQuick = (now - since) / Int64(count) < 2_000
        (count, since) = (0, now)
        return true
    }
}
