/// The workers on duty, and how long calls take. Pure.
///
/// Who hands a worker its thread is there when it leaves that thread, done or suspended in a call. As long as it keeps
/// the thread it is on duty, and calls that return at once need no second worker beside it. A worker that was suspended
/// goes on by itself, beside those on duty.
struct Shifts: Sendable {
    /// How many can have a thread at the same time. More on duty would only stand in the way of other listeners'.
    let threads: Int
    /// Whether calls return so soon that to start another worker takes longer.
    var areShort = false
    /// Those who keep their thread, and whether they are about to leave it as their turn is over.
    var onDuty: [UInt64: Bool] = [:]
    private var next: UInt64 = 0

    init(threads: Int) {
        self.threads = threads
    }

    /// Whether what is left needs a worker beside those on duty: there is none, or calls take long.
    var needsWorker: Bool { onDuty.isEmpty || (!areShort && hasThread) }

    /// Whether one more could have a thread.
    var hasThread: Bool { onDuty.count < threads }

    mutating func begin() -> UInt64 {
        next += 1
        onDuty[next] = false
        return next
    }
}
