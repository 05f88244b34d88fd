/// Decides what a mailbox does if its workers take one element at a time: in order for each key, with rests between the
/// attempts at an element. Pure.
struct KeyedStateMachine<Element: Sized>: MailboxMachine {
    typealias Item = KeyedQueue<Element>.Item

    /// The next step of a worker.
    enum WorkerAction: Sendable {
        /// Run this element, then ask again with its key; if it will be retried, begin its rest and ask without a key.
        /// Resume the producer of `admitted`, whose element has entered.
        case run(Item, startWorker: Bool, admitted: UInt64?)
        /// No work is left: end. `isIdle` is true if no other worker runs either.
        case retire(isIdle: Bool)
    }

    var intake: Intake<KeyedQueue<Element>>
    var workers: WorkerCount

    init(capacity: Int, capacityBytes: Int = .max, limit: Int, policy: OverflowPolicy) {
        let line = KeyedQueue<Element>(isSerial: limit == 1)
        intake = Intake(room: Room(count: capacity, bytes: capacityBytes), policy: policy, line: line)
        workers = WorkerCount(limit: limit)
    }

    var needsWorker: Bool { true }

    /// A worker is free; `finished` is the key of its latest element, if that is complete and has a key.
    mutating func workerAsked(finished: String?) -> WorkerAction {
        if let finished { intake.line.release(finished) }
        guard let item = intake.line.popReady() else {
            workers.retired()
            return .retire(isIdle: isIdle)
        }
        intake.noteLoad(intake.line.ordinary)
        let admitted = intake.admitNext()
        return .run(item, startWorker: startsWorker(), admitted: admitted)
    }

    /// An element rests after a run, before its next attempt; its key stays busy. Returns the token of the rest, or nil
    /// if the mailbox is closed and there is no next attempt.
    mutating func pauseBegan(_ item: Item) -> UInt64? {
        intake.isClosed ? nil : intake.line.rest(item)
    }

    /// Whether the rest is not over yet.
    func isPausing(_ token: UInt64) -> Bool { intake.line.isResting(token) }

    /// A rest is over: the element waits for a worker. Returns whether to start one. Has no effect if the rest has
    /// ended otherwise.
    mutating func pauseEnded(_ token: UInt64) -> Bool {
        intake.line.wake(token) && startsWorker()
    }
}
