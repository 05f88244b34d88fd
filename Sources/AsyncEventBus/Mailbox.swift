import Locking

/// The mailbox of one listener on one bus, and the workers that empty it.
///
/// A worker is a task that takes one event after the other until none is left: there is no task per event. Workers
/// start when events arrive and end when the mailbox is empty, so an idle listener costs no task.
final class Mailbox: Inbox {
    private struct State {
        var machine: MailboxStateMachine<Parcel>
        var producers: [UInt64: Producer] = [:]
        var nextToken: UInt64 = 0
        var idleWaiters: [IdleWaiter] = []

        /// What a worker does next, which producer is let in, and who has waited for the end of the work.
        mutating func next(
            finished: String?
        ) -> (MailboxStateMachine<Parcel>.WorkerAction, producer: Producer?, idle: [IdleWaiter]) {
            let action = machine.workerAsked(finished: finished)
            switch action {
            case .run(_, _, _, let admitted):
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

    /// How many events wait, and how many were discarded.
    var load: (waiting: Int, dropped: UInt64) {
        state.withLock { ($0.machine.count, $0.machine.dropped) }
    }

    /// See ``MailboxStateMachine/workersUntilIdle``.
    var workersUntilIdle: UInt64? { state.withLock { $0.machine.workersUntilIdle } }

    func offer(_ parcel: Parcel) {
        let key = listener.delivery.key(of: parcel.event)
        parcel.receipt?.willDeliver()
        let (action, told) = state.withLock { state -> (MailboxStateMachine<Parcel>.OfferAction, UInt64?) in
            let before = state.machine.dropped
            let action = state.machine.offered(parcel, key: key)
            let dropped = state.machine.dropped
            return (action, dropped > before && state.machine.beginsOverflow() ? dropped : nil)
        }
        var discarded: Parcel?
        switch action {
        case .queued(let startWorker):
            if startWorker { start() }
        case .displaced(let oldest, let startWorker):
            if startWorker { start() }
            discarded = oldest
        case .discarded, .closed:
            discarded = parcel
        }
        discarded?.receipt?.didDiscard()
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

    /// Discards what waits. Calls that run now run to their end; after this returns no new one begins.
    func close() {
        let (discarded, producers, idle) = state.withLock { state in
            let action = state.machine.closed()
            let producers = action.producers.compactMap { state.producers.removeValue(forKey: $0) }
            let idle = action.isIdle ? state.idleWaiters : []
            if action.isIdle { state.idleWaiters = [] }
            return (action.discarded, producers, idle)
        }
        for parcel in discarded { parcel.receipt?.didDiscard() }
        for producer in producers { producer.resume() }
        for waiter in idle { waiter.resume() }
    }

    /// Returns once nothing waits and nothing runs.
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
            case .run(let parcel, let key, let startWorker, _):
                if startWorker { start() }
                producer?.resume()
                await deliver(parcel)
                finished = key
            }
            turns &+= 1
            // The pool has few threads: a mailbox that never empties must not keep one for itself.
            if turns % 64 == 0 { await Task.yield() }
        }
    }

    private func deliver(_ parcel: Parcel) async {
        do {
            if let limit = listener.timeLimit {
                try await run(parcel.event, within: limit)
            } else {
                try await listener.body(parcel.event)
            }
            parcel.receipt?.didDeliver(error: nil)
        } catch let error as TimeLimitExceeded {
            parcel.receipt?.didDeliver(error: error)
        } catch {
            parcel.receipt?.didDeliver(error: error)
            report(.failed(listener: listener.name, event: parcel.event, error: "\(error)", isTimeout: false))
        }
    }

    private struct TimeLimitExceeded: Error {}

    /// Runs the body beside a timer. The failure is told when the time is over, not when the body lets itself be
    /// cancelled.
    private func run(_ event: Event, within limit: Duration) async throws {
        let (name, body, clock, report) = (listener.name, listener.body, clock, report)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await body(event) }
            group.addTask {
                try await clock.sleep(for: limit)
                report(.failed(listener: name, event: event, error: "took longer than \(limit)", isTimeout: true))
                throw TimeLimitExceeded()
            }
            defer { group.cancelAll() }
            try await group.next()
        }
    }
}
