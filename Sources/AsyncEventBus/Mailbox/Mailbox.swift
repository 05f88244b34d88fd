import Locking

/// The mailbox of one listener on one bus, and the workers that empty it.
///
/// A worker is a task that takes one event after the other until none is left: there is no task per event. Workers
/// start when events arrive and end when the mailbox is empty, so an idle listener costs no task.
///
/// Everything but the work of a worker is the same for all mailboxes and is in extensions of this protocol. Both
/// implementations are final classes, for which the compiler specialises it.
protocol Mailbox: EventSink {
    associatedtype Machine: MailboxMachine where Machine.Line.Element == PendingDelivery

    var context: MailboxContext { get }
    var state: Locked<MailboxState<Machine>> { get }

    /// The key of an event, which orders it.
    func key(of event: Event) -> String?

    /// Producers have begun to wait outside, or none waits any more. Called with the lock held.
    func producersChanged(areThere: Bool)

    /// Starts a worker, which the machine has counted.
    func start()

    /// Runs a worker until it retires.
    func runWorker() async

    // Requirements, so that a caller who does not know which mailbox it is gets the specialised code.

    var load: (waiting: Int, dropped: UInt64) { get }
    var look: ListenerLook { get }
    var workersUntilIdle: UInt64? { get }
    func waitUntilIdle() async
    func close()
    func withdraw(from owner: AnyObject)
}

extension Mailbox {
    var listener: Listener { context.listener }

    /// This mailbox for transports, if its listener is named.
    var asNamed: NamedMailbox? { listener.isNamed ? NamedMailbox(mailbox: self) : nil }

    var isImmediate: Bool { listener.isImmediate }

    /// How many events wait, the resting ones included, and how many were discarded.
    var load: (waiting: Int, dropped: UInt64) {
        state.withLock { ($0.machine.count, $0.machine.dropped) }
    }

    /// How its calls get on.
    var look: ListenerLook {
        state.withLock { state in
            let (progress, isHeldUp) = state.machine.look
            return ListenerLook(
                mailbox: ObjectIdentifier(self),
                name: listener.name,
                waiting: state.machine.count,
                isHeldUp: isHeldUp,
                progress: progress,
                exceeded: state.exceeded.min()
            )
        }
    }

    /// See ``MailboxMachine/workersUntilIdle``.
    var workersUntilIdle: UInt64? { state.withLock { $0.machine.workersUntilIdle } }

    /// Returns once nothing waits, rests or runs.
    func waitUntilIdle() async {
        await withCheckedContinuation { continuation in
            if !state.withLock({ $0.addIdleWaiter(continuation) }) { continuation.resume() }
        }
    }

    // MARK: Events come in

    func offer(_ delivery: PendingDelivery) {
        let key = key(of: delivery.event)
        delivery.receipt?.willDeliver()
        let (startsWorker, losses) = state.withLock { state in
            var losses: MailboxLosses?
            return (state.offer(delivery, key: key, &losses), losses)
        }
        if startsWorker { start() }
        if let losses { settle(losses) }
    }

    func offer(contentsOf deliveries: [PendingDelivery]) {
        // Not under the lock: to ask for keys calls the user.
        let keys = listener.delivery.hasKeys ? deliveries.map { key(of: $0.event) } : []
        var hasKept = false
        for position in deliveries.indices where !deliveries[position].isPlain {
            deliveries[position].receipt?.willDeliver()
            hasKept = hasKept || deliveries[position].isKept
        }
        let (startsWorker, losses) = state.withLock { state -> (Bool, MailboxLosses?) in
            if !hasKept, let startsWorker = state.machine.offeredTogether(deliveries) { return (startsWorker, nil) }
            var startsWorker = false
            var losses: MailboxLosses?
            for position in deliveries.indices {
                let key = keys.isEmpty ? nil : keys[position]
                if state.offer(deliveries[position], key: key, &losses) { startsWorker = true }
            }
            return (startsWorker, losses)
        }
        if startsWorker { start() }
        if let losses { settle(losses) }
    }

    private func settle(_ losses: MailboxLosses) {
        for timer in losses.timers { timer.cancel() }
        for delivery in losses.discarded { delivery.discard() }
        guard let event = losses.told?.event ?? losses.latest else { return }
        context.report(
            .dropped(receiver: listener.name, event: event, number: losses.dropped, total: losses.told?.total)
        )
    }

    // MARK: Events go

    /// Discards what waits or rests. Calls that run now run to their end; after this returns no new one begins.
    func close() {
        let (discarded, timers, producers, idle) = state.withLock { state in
            let action = state.machine.closed()
            let timers = action.rests.compactMap { state.timers.removeValue(forKey: $0) }
            let producers = action.producers.compactMap { state.producers.removeValue(forKey: $0) }
            return (action.discarded, timers, producers, action.isIdle ? state.takeIdleWaiters() : [])
        }
        for timer in timers { timer.cancel() }
        for delivery in discarded { delivery.discard() }
        for producer in producers { producer.resume() }
        for waiter in idle { waiter.resume() }
    }

    /// See ``NamedMailbox/withdraw(from:)``.
    func withdraw(from owner: AnyObject) {
        let (withdrawn, timers, startsWorker, idle) = state.withLock { state in
            let action = state.machine.withdrawn { $0.tracker?.owner === owner }
            let timers = action.rests.compactMap { state.timers.removeValue(forKey: $0) }
            let idle = state.machine.isIdle ? state.takeIdleWaiters() : []
            return (action.elements, timers, action.startWorker, idle)
        }
        if startsWorker { start() }
        for timer in timers { timer.cancel() }
        for delivery in withdrawn { delivery.discard() }
        for waiter in idle { waiter.resume() }
    }

    // MARK: Workers

    /// Lets a worker run: on this thread if the listener is immediate and not running yet, else on the pool.
    func startWorker() {
        if listener.isImmediate,
            // Or a listener that emits what it hears would run inside itself.
            state.withLock({ $0.machine.workers.count == 1 }),
            ImmediateDepth.descend({
                // Owned by this mailbox, as the one below; the first of them.
                Task.immediateDetached { await self.runWorker() }
            })
        {
            return
        }
        context.crew.queued()
        // Owned by this mailbox: at most `limit` at a time, each ends when the mailbox is empty or closed.
        // Awaited through `waitUntilIdle`. Detached: what it works off comes from many emitters, so that it must not have
        // the priority and the task-local values of the one that happened to wake it.
        Task.detached {
            self.context.crew.began()
            await self.runWorker()
        }
    }
}
