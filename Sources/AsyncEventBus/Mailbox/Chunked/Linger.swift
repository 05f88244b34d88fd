import Synchronization

/// Decides whether a worker that has nothing left to do stays awake for a moment, as long as it takes to wake one.
///
/// It does where the latest worker was missed within that moment, and no longer does when it waited in vain. So a stream
/// of events is not a wake-up each, and one now and then costs no waiting.
struct Linger: ~Copyable, Sendable {
    /// In nanoseconds: about what it costs to start a worker.
    private static let span: Int64 = 3_000
    /// In nanoseconds: between two looks, so that a few events come together, and the lock is left alone.
    private static let interval: Int64 = 300

    private let retired = Atomic<Int64>(0)
    private let pays = Atomic<Bool>(false)

    /// A worker retires.
    func ended() { retired.store(WorkerClock.now, ordering: .relaxed) }

    /// A worker is needed.
    func missed() {
        if WorkerClock.now - retired.load(ordering: .relaxed) < Self.span { pays.store(true, ordering: .relaxed) }
    }

    /// Waits until `isNeeded` or the moment is over; not at all where that does not pay.
    func wait(until isNeeded: () -> Bool) {
        guard pays.load(ordering: .relaxed), unsafe !WorkerClock.isStopped else { return }
        let start = WorkerClock.now
        var (time, look) = (start, start + Self.interval)
        while time < start + Self.span {
            time = WorkerClock.now
            guard time >= look else { continue }
            if isNeeded() { return }
            look = time + Self.interval
        }
        pays.store(false, ordering: .relaxed)
    }
}
