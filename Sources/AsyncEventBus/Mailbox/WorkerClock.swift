import Glibc

/// The clock by which workers measure how long they keep a thread, and how long calls take.
package enum WorkerClock {
    /// Whether it stands still, so that what workers do does not depend on how fast they are: for a simulation, which sets it
    /// before it makes a bus, in a process of its own.
    // SAFETY: set before there is a worker.
    nonisolated(unsafe) package static var isStopped = false

    /// Nanoseconds of a clock that does not jump.
    static var now: Int64 {
        if unsafe isStopped { return 0 }
        var time = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}
