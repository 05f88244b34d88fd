/// Measures from time to time how long the calls of a worker take.
struct Pace {
    /// The calls since the latest measurement.
    var count = 0
    private var since = WorkerClock.now

    /// Whether the latest calls were shorter, on average, than the start of another worker.
    private(set) var isQuick = false

    /// Measures after at least eight calls. Returns whether it did.
    mutating func measure() -> Bool {
        guard count >= 8 else { return false }
        let now = WorkerClock.now
        isQuick = (now - since) / Int64(count) < 2_000
        (count, since) = (0, now)
        return true
    }
}
