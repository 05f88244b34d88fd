import Glibc

/// The clock of workers: measures how long they keep a thread, and how long calls take.
package enum WorkerClock {
    /// Whether the clock stands still, so that the behaviour of workers does not depend on their speed. For a
    /// simulation, which runs in a process of its own.
    // SAFETY: set before the first bus, and so before the first worker.
    nonisolated(unsafe) package static var isStopped = false

    /// The time of a monotonic clock, in nanoseconds.
    static var now: Int64 {
        if unsafe isStopped { return 0 }
        var time = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}
