import Locking

/// The mailbox of one listener on one bus, and the workers that empty it.
///
/// A worker is a task that handles one event after another until none is left: there is no task per event. Workers
/// start when events arrive and end when the mailbox is empty, so an idle listener costs no task.
///
/// Extensions of this protocol contain everything that all mailboxes share; only the work of a worker differs. Both
/// implementations are final classes, for which the compiler specialises the extensions.
protocol Mailbox: EventSink {
    associatedtype Machine: MailboxMachine where Machine.Line.Element == PendingDelivery

    var context: MailboxContext { get }
    var state: Locked<MailboxState<Machine>> { get }

    /// Returns the key that orders an event.
    func key(of event: Event) -> String?

    /// Records whether producers wait for room. Called with the lock held.
    func producersChanged(areThere: Bool)

    /// Starts a worker, which the machine has counted.
    func start()

    /// Runs a worker until it retires.
    func runWorker() async

    // Requirements, so that calls through an existential run specialised code.

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
    var asDurable: DurableMailbox? { listener.isDurable ? DurableMailbox(mailbox: self) : nil }

    var isImmediate: Bool { listener.isImmediate }

    var answersRequests: Bool { listener.answersRequests }

    /// The numbers of waiting events, resting ones included, and of discarded events.
    var load: (waiting: Int, dropped: UInt64) {
        state.withLock { ($0.machine.count, $0.machine.dropped) }
    }

    /// A sample of the calls.
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

    /// Returns once no event waits, rests or runs.
    func waitUntilIdle() async {
        await withCheckedContinuation { continuation in
            if !state.withLock({ $0.addIdleWaiter(continuation) }) { continuation.resume() }
        }
    }

    // MARK: Incoming events

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
        // Outside the lock: the key function is user code.
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

    // MARK: Removal

    /// Discards waiting and resting events. Running calls run to their end; no call begins after this returns.
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

    /// See ``DurableMailbox/withdraw(from:)``.
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

    /// Runs a worker: on this thread if the listener is immediate and not yet running, else on the pool.
    func startWorker() {
        if listener.isImmediate,
            // Else a listener that emits an event to itself would run inside itself.
            state.withLock({ $0.machine.workers.count == 1 }),
            ImmediateDepth.descend({
                // Owned by this mailbox, like the task below; the first worker.
                Task.immediateDetached { await self.runWorker() }
            })
        {
            return
        }
        // Detached: its events come from many emitters, so it must not inherit the priority and task-local values of the
        // emitter that happened to wake it.
        // Owned by this mailbox: at most `limit`, each ends with the last event or `close()`; `waitUntilIdle` awaits them.
        Task.detached { await self.runWorker() }
    }
}
