/// Decides what a mailbox does whose workers take one element at a time: in order of each key, with rests between the
/// attempts at one element. Pure.
struct KeyedStateMachine<Element: Sized>: MailboxMachine {
    typealias Item = KeyedQueue<Element>.Item

    /// What a worker does next.
    enum WorkerAction: Sendable {
        /// Run this element, then ask again with its key, or, if it is to be tried again, begin its rest and ask
        /// without. Resume the producer of `admitted`, whose element is in.
        case run(Item, startWorker: Bool, admitted: UInt64?)
        /// Nothing is left to do: end. `isIdle` says that no other worker runs either.
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

    /// A worker is free; `finished` is the key of the element that it has dealt with, if that had one.
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

    /// An element that a worker ran rests before the next attempt; its key stays busy. Returns what names the rest, or
    /// nil if the mailbox is closed: there is no next attempt.
    mutating func pauseBegan(_ item: Item) -> UInt64? {
        intake.isClosed ? nil : intake.line.rest(item)
    }

    /// Whether the rest still goes on.
    func isPausing(_ token: UInt64) -> Bool { intake.line.isResting(token) }

    /// A rest is over: the element waits for a worker. Returns whether to start one. Without effect on a rest that
    /// ended otherwise.
    mutating func pauseEnded(_ token: UInt64) -> Bool {
        intake.line.wake(token) && startsWorker()
    }
}
