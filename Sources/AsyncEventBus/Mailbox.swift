import Locking

/// The mailbox of one listener on one bus, and the workers that empty it.
///
/// A worker is a task that takes one event after the other until none is left: there is no task per event. Workers
/// start when events arrive and end when the mailbox is empty, so an idle listener costs no task. An event that is to
/// be tried again rests meanwhile, and takes no worker.
final class Mailbox: Inbox {
    private struct State {
        var machine: MailboxStateMachine<Parcel>
        var producers: [UInt64: Producer] = [:]
        var timers: [UInt64: Task<Void, Never>] = [:]
        var nextToken: UInt64 = 0
        var idleWaiters: [IdleWaiter] = []

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

    private typealias Producer = CheckedContinuation<Void, any Error>
    private typealias IdleWaiter = CheckedContinuation<Void, Never>

    let listener: Listener
    private let clock: any Clock<Duration>
    private let report: @Sendable (BusReport) -> Void
    private let state: Locked<State>

    init(listener: Listener, clock: any Clock<Duration>, report: @escaping @Sendable (BusReport) -> Void) {
        self.listener = listener
        self.clock = clock
        self.report = report
        state = Locked(
            State(
                machine: MailboxStateMachine(
                    capacity: listener.capacity,
                    limit: listener.delivery.limit,
                    policy: listener.whenFull
                )
            )
        )
    }

    /// This mailbox for transports, if its listener is named.
    var asNamed: NamedInbox? { listener.isNamed ? NamedInbox(mailbox: self) : nil }

    /// How many events wait, those that rest included, and how many were discarded.
    var load: (waiting: Int, dropped: UInt64) {
        state.withLock { ($0.machine.count, $0.machine.dropped) }
    }

    /// See ``MailboxStateMachine/workersUntilIdle``.
    var workersUntilIdle: UInt64? { state.withLock { $0.machine.workersUntilIdle } }

    func offer(_ parcel: Parcel) {
        let key = listener.delivery.key(of: parcel.event)
        parcel.receipt?.willDeliver()
        typealias OfferAction = MailboxStateMachine<Parcel>.OfferAction
        let (action, told, timer) = state.withLock { state -> (OfferAction, UInt64?, Task<Void, Never>?) in
            let before = state.machine.dropped
            let action = state.machine.offered(parcel, key: key, isKept: parcel.tracker != nil)
            let dropped = state.machine.dropped
            var timer: Task<Void, Never>?
            if case .displaced(_, let rest?, _) = action { timer = state.timers.removeValue(forKey: rest) }
            return (action, dropped > before && state.machine.beginsOverflow() ? dropped : nil, timer)
        }
        timer?.cancel()
        var discarded: Parcel?
        switch action {
        case .queued(let startWorker):
            if startWorker { start() }
        case .displaced(let oldest, _, let startWorker):
            if startWorker { start() }
            discarded = oldest
        case .discarded, .closed:
            discarded = parcel
        }
        discarded?.discard()
        if let told, let discarded { report(.dropped(receiver: listener.name, event: discarded.event, total: told)) }
    }

    func send(_ parcel: Parcel) async throws {
        try Task.checkCancellation()
        let key = listener.delivery.key(of: parcel.event)
        parcel.receipt?.willDeliver()
        let token = state.withLock { state in
            state.nextToken += 1
            return state.nextToken
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
            let action = state.machine.sent(parcel, key: key, token: token)
            if case .suspended = action { state.producers[token] = continuation }
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

    private func start() {
        // Owned by this mailbox: at most `limit` at a time, each ends when the mailbox is empty or closed.
        // Awaited through `becomeIdle`. Detached: what it works off comes from many emitters, so that it must not have
        // the priority and the task-local values of the one that happened to wake it.
        Task.detached { await self.work() }
    }

    private func work() async {
        state.withLock { $0.machine.workerStarted() }
        var finished: String?
        var turns = 0
        while true {
            let (action, producer, idle) = state.withLock { $0.next(finished: finished) }
            switch action {
            case .retire:
                for waiter in idle { waiter.resume() }
                return
            case .run(let item, let startWorker, _):
                if startWorker { start() }
                producer?.resume()
                // What rests keeps its key.
                finished = await deliver(item) ? item.key : nil
            }
            turns &+= 1
            // The pool has few threads: a mailbox that never empties must not keep one for itself.
            if turns % 64 == 0 { await Task.yield() }
        }
    }

    /// Makes one attempt. Returns whether the parcel is dealt with; if not, it rests.
    private func deliver(_ item: MailboxStateMachine<Parcel>.Item) async -> Bool {
        let parcel = item.element
        if let tracker = parcel.tracker, tracker.marksStart { await tracker.willRun(attempt: parcel.event.attempt) }
        switch await call(parcel.event) {
        case .returned:
            parcel.receipt?.didDeliver(error: nil)
            parcel.tracker?.ended(.finished)
            return true
        case .threw(let error):
            return failed(item, error, isTold: false)
        case .tookTooLong(let error):
            // The last attempt was told when its time was over.
            return failed(item, error, isTold: isLastAttempt(parcel.event))
        }
    }

    private func call(_ event: Event) async -> CallEnding {
        guard let limit = listener.timeLimit else {
            do {
                try await listener.body(event)
                return .returned
            } catch {
                return .threw(error)
            }
        }
        return await TimedCall(body: listener.body, limit: limit, clock: clock).run(event) { error in
            if self.isLastAttempt(event) { self.tell(event, error) }
        }
    }

    private func isLastAttempt(_ event: Event) -> Bool { event.attempt >= listener.retry.attempts }

    /// Returns whether the parcel is given up; if not, it rests.
    private func failed(_ item: MailboxStateMachine<Parcel>.Item, _ error: any Error, isTold: Bool) -> Bool {
        let parcel = item.element
        if !isLastAttempt(parcel.event), retry(item, error: "\(error)") { return false }
        parcel.receipt?.didDeliver(error: error)
        parcel.tracker?.ended(.failed(error: "\(error)", attempts: parcel.event.attempt))
        if !isTold { tell(parcel.event, error) }
        return true
    }

    private func tell(_ event: Event, _ error: any Error) {
        report(
            .failed(
                listener: listener.name,
                event: event,
                error: "\(error)",
                isTimeout: error is TimeLimitExceeded
            )
        )
    }

    /// Lets a parcel rest before its next attempt. Returns false when the mailbox is closed: there is none.
    private func retry(_ item: MailboxStateMachine<Parcel>.Item, error: String) -> Bool {
        var item = item
        let pause = listener.retry.pause(after: item.element.pause, fraction: .random(in: 0...1))
        item.element.tracker?.attemptFailed(item.element.event.attempt, error: error)
        item.element.tryAgain(after: pause)
        guard let token = state.withLock({ [item] state in state.machine.pauseBegan(item) }) else { return false }
        // Owned by this mailbox: one for each event that rests, so never more than fit into it and run at a time, and
        // those that are kept. Cancelled when the event is displaced or the mailbox closed. Awaited through
        // `becomeIdle`.
        let timer = Task.detached { [clock] in
            try? await clock.sleep(for: pause)
            self.pauseEnded(token)
        }
        let isPausing = state.withLock { state in
            guard state.machine.isPausing(token) else { return false }
            state.timers[token] = timer
            return true
        }
        if !isPausing { timer.cancel() }
        return true
    }

    private func pauseEnded(_ token: UInt64) {
        let startWorker = state.withLock { state in
            state.timers[token] = nil
            return state.machine.pauseEnded(token)
        }
        if startWorker { start() }
    }
}
