/// The state behind the lock of a mailbox.
struct MailboxState<Machine: MailboxMachine>: Sendable where Machine.Line.Element == PendingDelivery {
    typealias Producer = CheckedContinuation<Void, any Error>
    typealias IdleWaiter = CheckedContinuation<Void, Never>

    var machine: Machine
    var producers: [UInt64: Producer] = [:]
    var timers: [UInt64: Task<Void, Never>] = [:]
    var nextToken: UInt64 = 0
    private(set) var idleWaiters: [IdleWaiter] = []
    /// The ends of the time limits of calls that have exceeded them and still run.
    var exceeded: [ContinuousClock.Instant] = []

    init(_ machine: Machine) {
        self.machine = machine
    }

    /// Returns whether to start a worker.
    mutating func offer(_ delivery: PendingDelivery, key: String?, _ losses: inout MailboxLosses?) -> Bool {
        let before = machine.dropped
        let startsWorker: Bool
        switch machine.offered(delivery, key: key, isKept: delivery.isKept) {
        case .queued(let startWorker):
            return startWorker
        case .displaced(let oldest, let others, let startWorker):
            startsWorker = startWorker
            discard(oldest, &losses)
            for other in others { discard(other, &losses) }
        case .discarded, .closed:
            startsWorker = false
            losses = losses ?? MailboxLosses()
            losses?.discarded.append(delivery)
        }
        if machine.dropped > before, let event = losses?.discarded.last?.event {
            losses?.dropped += Int(machine.dropped - before)
            losses?.latest = event
            if machine.beginsOverflow() { losses?.told = (event, machine.dropped) }
        }
        return startsWorker
    }

    private mutating func discard(_ displaced: DisplacedElement<PendingDelivery>, _ losses: inout MailboxLosses?) {
        losses = losses ?? MailboxLosses()
        losses?.discarded.append(displaced.element)
        if let rest = displaced.rest, let timer = timers.removeValue(forKey: rest) { losses?.timers.append(timer) }
    }

    /// Adds a task that waits until all work is done. Returns false if there is none.
    mutating func addIdleWaiter(_ waiter: IdleWaiter) -> Bool {
        guard !machine.isIdle else { return false }
        idleWaiters.append(waiter)
        return true
    }

    /// Removes the tasks that wait until all work is done, for the caller to resume.
    mutating func takeIdleWaiters() -> [IdleWaiter] {
        defer { idleWaiters = [] }
        return idleWaiters
    }
}

/// The deliveries that found no room, and follow-up work for after the release of the lock.
struct MailboxLosses {
    var timers: [Task<Void, Never>] = []
    var discarded: [PendingDelivery] = []
    /// The number of deliveries that found no room, and the latest of them.
    var dropped = 0
    var latest: Event?
    /// Set if an overflow begins: its first event, and the number of all discarded deliveries so far.
    var told: (event: Event, total: UInt64)?
}
