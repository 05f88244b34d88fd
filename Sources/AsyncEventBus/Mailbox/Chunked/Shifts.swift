/// The workers on duty, and the length of calls. Pure.
///
/// A worker is on duty while it keeps the thread that it was started on. The task that started it continues when the
/// worker leaves that thread, done or suspended in a call. Calls that return at once need no second worker beside the
/// one on duty. A suspended worker continues later on its own, beside the workers on duty.
struct Shifts: Sendable {
    /// The most workers that can have a thread at the same time. More on duty would only hinder other listeners.
    let threads: Int
    /// Whether calls are shorter than the start of another worker.
    var areShort = false
    /// The shifts of workers on duty, and whether each is about to leave its thread because its turn is over.
    var onDuty: [UInt64: Bool] = [:]
    private var next: UInt64 = 0

    init(threads: Int) {
        self.threads = threads
    }

    /// Whether the remaining work needs another worker: none is on duty, or calls take long.
    var needsWorker: Bool { onDuty.isEmpty || (!areShort && hasThread) }

    /// Whether one more worker could have a thread.
    var hasThread: Bool { onDuty.count < threads }

    mutating func begin() -> UInt64 {
        next += 1
        onDuty[next] = false
        return next
    }
}
