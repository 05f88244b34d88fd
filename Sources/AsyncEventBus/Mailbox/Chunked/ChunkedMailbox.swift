import Locking
import Synchronization

/// A mailbox whose workers take chunks of events: for listeners without keys and retries.
final class ChunkedMailbox: Mailbox {
    let context: MailboxContext
    let state: Locked<MailboxState<ChunkedStateMachine<PendingDelivery>>>
    private let outside = ProducersOutside()
    private let linger = Linger()

    init(_ context: MailboxContext) {
        self.context = context
        let listener = context.listener
        state = Locked(
            MailboxState(
                ChunkedStateMachine(
                    capacity: listener.capacity,
                    capacityBytes: listener.capacityBytes,
                    limit: listener.delivery.limit,
                    policy: listener.whenFull,
                    threads: CooperativePool.threads
                )
            )
        )
    }

    func key(of event: Event) -> String? { nil }

    func producersChanged(areThere: Bool) {
        outside.areThere.store(areThere, ordering: .sequentiallyConsistent)
    }

    func start() {
        if !isImmediate { linger.missed() }
        startWorker()
    }

    func runWorker() async {
        if listener.delivery.limit > 1 {
            await supervise()
        } else {
            state.withLock { $0.machine.workerStarted() }
            await work(on: nil)
        }
    }

    /// Runs a worker on this thread and, if it is suspended in a call, another one.
    private func supervise() async {
        var shift = state.withLock { $0.machine.shiftBegan() }
        var begun = 0
        while true {
            // Owned by this mailbox: counted as a worker, see `startWorker`. Runs here until it ends or is suspended.
            Task.immediateDetached { [shift] in await self.work(on: shift) }
            switch state.withLock({ $0.machine.shiftLeft(shift) }) {
            case .end:
                return
            case .begin(let next):
                shift = next
                begun += 1
                if begun % WorkerTurn.length == 0 { await Task.yield() }
            case .yield(let same):
                shift = same
                await Task.yield()
            }
        }
    }

    /// Runs elements until none is left or, on a shift, until the worker must release the thread.
    private func work(on shift: UInt64?) async {
        let (body, isSimple) = (listener.body, listener.timeout == nil)
        let outside = outside
        var pace = Pace()
        var turn = WorkerTurn()
        while let chunk = next(shift, &pace) {
            while let delivery = chunk.claim() {
                if outside.areThere.load(ordering: .sequentiallyConsistent) { admit() }
                if isSimple, delivery.isPlain {
                    do {
                        try await body(delivery.event)
                    } catch {
                        giveUp(delivery, CallFailure(error: error, isTold: false))
                    }
                } else if let failure = await call(delivery) {
                    giveUp(delivery, failure)
                }
                pace.count &+= 1
                turn.calls &+= 1
                // Slow calls end a turn when their number or the time is up, quick calls when both are.
                let isFull = turn.calls % WorkerTurn.length == 0
                guard pace.isQuick ? isFull && turn.isLong : isFull || turn.isLong else { continue }
                if state.withLock({ $0.machine.turnEnded(by: shift) }) { return }
                await Task.yield()
                turn.begin()
            }
            linger.wait { state.withLock { $0.machine.canRun } }
        }
    }

    private func next(_ shift: UInt64?, _ pace: inout Pace) -> Chunk<PendingDelivery>? {
        let isMeasured = pace.measure()
        let (action, idle) = state.withLock { state in
            if isMeasured { state.machine.measured(areShort: pace.isQuick) }
            let action = state.machine.workerAsked(by: shift)
            if case .retire(isIdle: true) = action { return (action, state.takeIdleWaiters()) }
            return (action, [])
        }
        guard case .run(let chunk, let startWorker) = action else {
            linger.ended()
            for waiter in idle { waiter.resume() }
            return nil
        }
        if startWorker { start() }
        return chunk
    }

    /// Admits producers that wait for room.
    private func admit() {
        let (producers, startWorker) = state.withLock { state in
            let admitted = state.machine.admitted()
            producersChanged(areThere: state.machine.hasProducers)
            return (admitted.compactMap { state.producers.removeValue(forKey: $0) }, state.machine.startsWorker())
        }
        if startWorker { start() }
        for producer in producers { producer.resume() }
    }
}

/// Whether producers wait for room, for workers to read without the lock. A separate object: each call of a listener
/// reads it, so it must not share a cache line with fields that emitters write.
private final class ProducersOutside: Sendable {
    let areThere = Atomic<Bool>(false)
}
