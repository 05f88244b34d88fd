/// What the lock of a mailbox guards.
struct MailboxState<Machine: MailboxMachine>: Sendable where Machine.Line.Element == PendingDelivery {
    typealias Producer = CheckedContinuation<Void, any Error>
    typealias IdleWaiter = CheckedContinuation<Void, Never>

    var machine: Machine
    var producers: [UInt64: Producer] = [:]
    var timers: [UInt64: Task<Void, Never>] = [:]
    var nextToken: UInt64 = 0
    private(set) var idleWaiters: [IdleWaiter] = []
    /// When the time limits of calls were over that still run.
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

    /// Adds a task that waits for the end of all work. Returns false if there is none.
    mutating func addIdleWaiter(_ waiter: IdleWaiter) -> Bool {
        guard !machine.isIdle else { return false }
        idleWaiters.append(waiter)
        return true
    }

    /// Takes out the tasks that wait for the end of all work, for the caller to resume.
    mutating func takeIdleWaiters() -> [IdleWaiter] {
        defer { idleWaiters = [] }
        return idleWaiters
    }
}

/// What is to be done about deliveries that found no room, when the lock is released.
struct MailboxLosses {
    var timers: [Task<Void, Never>] = []
    var discarded: [PendingDelivery] = []
    /// How many of them found no room, and the latest of these.
    var dropped = 0
    var latest: Event?
    /// If an overflow begins: its first event, and how many were ever discarded.
    var told: (event: Event, total: UInt64)?
}
