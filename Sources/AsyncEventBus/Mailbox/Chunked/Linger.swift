import Synchronization

/// Decides whether an idle worker spins before it retires, for as long as the start of a worker takes.
///
/// It begins to spin when an event has followed the retirement of a worker within that time, and stops after a spin in
/// vain. So a stream of events does not cost a wake-up each, and occasional events cost no spinning.
struct Linger: ~Copyable, Sendable {
    /// The time to spin, in nanoseconds: about the cost of starting a worker.
    private static let span: Int64 = 3_000
    /// The time between two checks, in nanoseconds. Lets a few events accumulate, and spares the lock.
    private static let interval: Int64 = 300

    private let retired = Atomic<Int64>(0)
    private let pays = Atomic<Bool>(false)

    /// Records that a worker retires.
    func ended() { retired.store(WorkerClock.now, ordering: .relaxed) }

    /// Records that a worker is needed.
    func missed() {
        if WorkerClock.now - retired.load(ordering: .relaxed) < Self.span { pays.store(true, ordering: .relaxed) }
    }

    /// Spins until `isNeeded` holds or the time is over; not at all if that does not pay.
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
