import Locking
import Synchronization

/// The mailbox of one listener on one bus, and the workers that empty it.
///
/// A worker is a task that takes one event after the other until none is left: there is no task per event. Workers
/// start when events arrive and end when the mailbox is empty, so an idle listener costs no task. An event that is to
/// be tried again rests meanwhile, and takes no worker.
final class Mailbox: Inbox {
    struct State {
        var machine: MailboxStateMachine<Parcel>
        var producers: [UInt64: Producer] = [:]
        var timers: [UInt64: Task<Void, Never>] = [:]
        var nextToken: UInt64 = 0
        var idleWaiters: [IdleWaiter] = []

        /// Returns whether to start a worker.
        mutating func offer(_ parcel: Parcel, key: String?, _ losses: inout Losses?) -> Bool {
            let before = machine.dropped
            let (discarded, startsWorker): (Parcel, Bool)
            switch machine.offered(parcel, key: key, isKept: parcel.isKept) {
            case .queued(let startWorker):
                return startWorker
            case .displaced(let oldest, let rest, let startWorker):
                (discarded, startsWorker) = (oldest, startWorker)
                if let rest, let timer = timers.removeValue(forKey: rest) {
                    losses = losses ?? Losses()
                    losses?.timers.append(timer)
                }
            case .discarded, .closed:
                (discarded, startsWorker) = (parcel, false)
            }
            losses = losses ?? Losses()
            losses?.discarded.append(discarded)
            if machine.dropped > before, machine.beginsOverflow() {
                losses?.told.append((discarded.event, machine.dropped))
            }
            return startsWorker
        }

        /// What a worker does next, which producer is let in, and who has waited for the end of the work.
        mutating func next(
            finished: String?
        ) -> (MailboxStateMachine<Parcel>.WorkerAction, producer: Producer?, idle: [IdleWaiter]) {
            let action = machine.workerAsked(finished: finished)
            switch action {
            case .run(_, _, let admitted):
                return (action, admitted.flatMap { producers.removeValue(forKey: $0) }, [])
            case .retire(let isIdle):
                defer { if isIdle { idleWaiters = [] } }
                return (action, nil, isIdle ? idleWaiters : [])
            }
        }
    }

    /// What is to be done about parcels that found no room, when the lock is released.
    struct Losses {
        var timers: [Task<Void, Never>] = []
        var discarded: [Parcel] = []
        var told: [(event: Event, total: UInt64)] = []
    }

    typealias Producer = CheckedContinuation<Void, any Error>
    typealias IdleWaiter = CheckedContinuation<Void, Never>

    let listener: Listener
    let clock: any Clock<Duration>
    let report: @Sendable (BusReport) -> Void
    let state: Locked<State>
    /// Whether producers wait that are to be let in when there is room.
    let queueOutside = QueueOutside()
    /// Whether workers take chunks: not where the order among the elements that wait depends on those that run.
    let takesChunks: Bool
    /// Whether workers that take chunks stay a moment.
    let linger = Linger()
    /// The workers of all mailboxes of the bus.
    let crew: Crew

    init(
        listener: Listener,
        clock: any Clock<Duration>,
        crew: Crew = Crew(),
        report: @escaping @Sendable (BusReport) -> Void
    ) {
        self.listener = listener
        self.crew = crew
        takesChunks = !listener.delivery.hasKeys && listener.retry.attempts == 1
        self.clock = clock
        self.report = report
        state = Locked(
            State(
                machine: MailboxStateMachine(
                    capacity: listener.capacity,
                    limit: listener.delivery.limit,
                    policy: listener.whenFull,
                    takesChunks: takesChunks,
                    threads: Crew.threads
                )
            )
        )
    }

    /// This mailbox for transports, if its listener is named.
    var asNamed: NamedInbox? { listener.isNamed ? NamedInbox(mailbox: self) : nil }

    var isImmediate: Bool { listener.isImmediate }

    /// How many events wait, those that rest included, and how many were discarded.
    var load: (waiting: Int, dropped: UInt64) {
        state.withLock { ($0.machine.count, $0.machine.dropped) }
    }

    /// See ``MailboxStateMachine/workersUntilIdle``.
    var workersUntilIdle: UInt64? { state.withLock { $0.machine.workersUntilIdle } }

    func offer(_ parcel: Parcel) {
        let key = takesChunks ? nil : listener.delivery.key(of: parcel.event)
        parcel.receipt?.willDeliver()
        let (startsWorker, losses) = state.withLock { state in
            var losses: Losses?
            return (state.offer(parcel, key: key, &losses), losses)
        }
        if startsWorker { start() }
        if let losses { settle(losses) }
    }

    func offer(contentsOf parcels: [Parcel]) {
        // Not under the lock: to ask for keys calls the user.
        let keys = listener.delivery.hasKeys ? parcels.map { listener.delivery.key(of: $0.event) } : []
        var hasKept = false
        for position in parcels.indices where !parcels[position].isPlain {
            parcels[position].receipt?.willDeliver()
            hasKept = hasKept || parcels[position].isKept
        }
        let (startsWorker, losses) = state.withLock { state -> (Bool, Losses?) in
            if !hasKept, let startsWorker = state.machine.offeredTogether(parcels) { return (startsWorker, nil) }
            var startsWorker = false
            var losses: Losses?
            for position in parcels.indices {
                let key = keys.isEmpty ? nil : keys[position]
                if state.offer(parcels[position], key: key, &losses) { startsWorker = true }
            }
            return (startsWorker, losses)
        }
        if startsWorker { start() }
        if let losses { settle(losses) }
    }

    private func settle(_ losses: Losses) {
        for timer in losses.timers { timer.cancel() }
        for parcel in losses.discarded { parcel.discard() }
        for (event, total) in losses.told { report(.dropped(receiver: listener.name, event: event, total: total)) }
    }

    func send(_ parcel: Parcel) async throws {
        try Task.checkCancellation()
        let key = listener.delivery.key(of: parcel.event)
        parcel.receipt?.willDeliver()
        let (action, token) = state.withLock { state in
            state.nextToken += 1
            return (state.machine.sentWithRoom(parcel, key: key), state.nextToken)
        }
        switch action {
        case .queued(let startWorker):
            if startWorker { start() }
            return
        case .closed:
            parcel.receipt?.didDiscard()
            return
        case .suspended:
            break
        }
        do {
            try await withTaskCancellationHandler {
                try await withCheckedThrowingContinuation { continuation in
                    enqueue(parcel, key: key, token: token, continuation: continuation)
                }
            } onCancel: {
                cancelSend(token)
            }
        } catch {
            parcel.receipt?.didDiscard()
            throw error
        }
    }

    private func enqueue(
        _ parcel: Parcel,
        key: String?,
        token: UInt64,
        continuation: Producer
    ) {
        let action = state.withLock { state in
            // Told before it is looked whether there is room, so that who makes room later sees it.
            queueOutside.isThere.store(true, ordering: .sequentiallyConsistent)
            let action = state.machine.sent(parcel, key: key, token: token)
            if case .suspended = action { state.producers[token] = continuation }
            queueOutside.isThere.store(state.machine.hasProducers, ordering: .sequentiallyConsistent)
            return action
        }
        switch action {
        case .queued(let startWorker):
            if startWorker { start() }
            continuation.resume()
        case .suspended:
            // A cancellation before the lock was taken found no token to cancel.
            if Task.isCancelled { cancelSend(token) }
        case .closed:
            parcel.receipt?.didDiscard()
            continuation.resume()
        }
    }

    private func cancelSend(_ token: UInt64) {
        let continuation = state.withLock { state in
            state.machine.sendCancelled(token: token) ? state.producers.removeValue(forKey: token) : nil
        }
        continuation?.resume(throwing: CancellationError())
    }

    /// Discards what waits or rests. Calls that run now run to their end; after this returns no new one begins.
    func close() {
        let (discarded, timers, producers, idle) = state.withLock { state in
            let action = state.machine.closed()
            let timers = action.rests.compactMap { state.timers.removeValue(forKey: $0) }
            let producers = action.producers.compactMap { state.producers.removeValue(forKey: $0) }
            let idle = action.isIdle ? state.idleWaiters : []
            if action.isIdle { state.idleWaiters = [] }
            return (action.discarded, timers, producers, idle)
        }
        for timer in timers { timer.cancel() }
        for parcel in discarded { parcel.discard() }
        for producer in producers { producer.resume() }
        for waiter in idle { waiter.resume() }
    }

    /// Returns once nothing waits, rests or runs.
    func becomeIdle() async {
        await withCheckedContinuation { continuation in
            let isIdle = state.withLock { state in
                if state.machine.isIdle { return true }
                state.idleWaiters.append(continuation)
                return false
            }
            if isIdle { continuation.resume() }
        }
    }
}

/// Tells workers whether producers wait outside a full mailbox. An object of its own: each call of a listener reads it,
/// and must not share a cache line with what emitters write.
final class QueueOutside: Sendable {
    let isThere = Atomic<Bool>(false)
}
