import Locking

/// A mailbox whose workers take one event at a time: for listeners with keys or retries.
///
/// An event rests between two attempts, and occupies no worker.
final class KeyedMailbox: Mailbox {
    let context: MailboxContext
    let state: Locked<MailboxState<KeyedStateMachine<PendingDelivery>>>

    init(_ context: MailboxContext) {
        self.context = context
        let listener = context.listener
        state = Locked(
            MailboxState(
                KeyedStateMachine(
                    capacity: listener.capacity,
                    capacityBytes: listener.capacityBytes,
                    limit: listener.delivery.limit,
                    policy: listener.whenFull
                )
            )
        )
    }

    func key(of event: Event) -> String? { listener.delivery.key(of: event) }

    /// Workers need no notice: each one that takes an event admits a producer.
    func producersChanged(areThere: Bool) {}

    func start() { startWorker() }

    func runWorker() async {
        state.withLock { $0.machine.workerStarted() }
        var finished: String?
        var turn = WorkerTurn()
        while true {
            let (action, producer, idle) = next(finished: finished)
            switch action {
            case .retire:
                for waiter in idle { waiter.resume() }
                return
            case .run(let item, let startWorker, _):
                if startWorker { start() }
                producer?.resume()
                // A resting event keeps its key.
                finished = await deliver(item) ? item.key : nil
            }
            turn.calls &+= 1
            guard turn.calls % WorkerTurn.length == 0 || turn.isLong else { continue }
            await Task.yield()
            turn.begin()
        }
    }

    /// Returns the next step of a worker, the producer to admit, and the tasks that wait for the end of all work.
    private func next(
        finished: String?
    ) -> (
        KeyedStateMachine<PendingDelivery>.WorkerAction,
        producer: MailboxState<KeyedStateMachine<PendingDelivery>>.Producer?,
        idle: [MailboxState<KeyedStateMachine<PendingDelivery>>.IdleWaiter]
    ) {
        state.withLock { state in
            let action = state.machine.workerAsked(finished: finished)
            switch action {
            case .run(_, _, let admitted):
                return (action, admitted.flatMap { state.producers.removeValue(forKey: $0) }, [])
            case .retire(let isIdle):
                return (action, nil, isIdle ? state.takeIdleWaiters() : [])
            }
        }
    }

    /// Makes one attempt. Returns whether the delivery is complete; if not, it rests.
    private func deliver(_ item: KeyedStateMachine<PendingDelivery>.Item) async -> Bool {
        guard let failure = await call(item.element) else { return true }
        if !failure.isPermanent, !isLastAttempt(item.element), retry(item, error: "\(failure.error)") { return false }
        giveUp(item.element, failure)
        return true
    }

    /// Lets a delivery rest before its next attempt. Returns false if the mailbox is closed and there is none.
    private func retry(_ item: KeyedStateMachine<PendingDelivery>.Item, error: String) -> Bool {
        var item = item
        let pause = listener.retry.pause(after: item.element.pause, fraction: .random(in: 0...1))
        item.element.tracker?.attemptFailed(item.element.event.attempt, error: error)
        item.element.tryAgain(after: pause)
        guard let token = state.withLock({ [item] state in state.machine.pauseBegan(item) }) else { return false }
        // Owned by this mailbox: one for each resting event, so never more than fit into it and run at a time, plus the
        // kept ones. Cancelled when the event is displaced or the mailbox closed. Awaited through `waitUntilIdle`.
        let timer = Task.detached { [clock = context.clock] in
            try? await clock.sleep(for: pause)
            self.pauseEnded(token)
        }
        let isPausing = state.withLock { state in
            guard state.machine.isPausing(token) else { return false }
            state.timers[token] = timer
            return true
        }
        if !isPausing { timer.cancel() }
        if let tracker = item.element.tracker, tracker.isWithdrawn { withdraw(from: tracker.owner) }
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
