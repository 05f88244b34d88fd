import Locking
import Synchronization

extension Mailbox {
    /// How many elements a worker runs before it lets others have its thread: the pool has few of them.
    private static var turn: Int { 64 }
    /// How long it keeps its thread if calls take long, in nanoseconds.
    private static var turnTime: Int64 { 300_000 }
    /// How many elements it runs, if no call takes long, and no other worker of the bus waits for a thread.
    private static var longTurn: Int { 1_024 }

    func start() {
        if #available(macOS 26, iOS 26, tvOS 26, watchOS 26, visionOS 26, *), listener.isImmediate,
            // Or a listener that emits what it hears would run inside itself.
            state.withLock({ $0.machine.workers == 1 }),
            ImmediateDepth.descend({
                // Owned by this mailbox, as the one below; the first of them.
                Task.immediateDetached { await self.begin() }
            })
        {
            return
        }
        if takesChunks, !listener.isImmediate { linger.missed() }
        crew.queued()
        // Owned by this mailbox: at most `limit` at a time, each ends when the mailbox is empty or closed.
        // Awaited through `becomeIdle`. Detached: what it works off comes from many emitters, so that it must not have
        // the priority and the task-local values of the one that happened to wake it.
        Task.detached {
            self.crew.began()
            await self.begin()
        }
    }

    private func begin() async {
        guard takesChunks else { return await work() }
        if #available(macOS 26, iOS 26, tvOS 26, watchOS 26, visionOS 26, *), listener.delivery.limit > 1 {
            await supervise()
        } else {
            state.withLock { $0.machine.workerStarted() }
            await work(on: nil)
        }
    }

    // MARK: One element at a time

    private func work() async {
        state.withLock { $0.machine.workerStarted() }
        var finished: String?
        var (turns, turnBegan) = (0, Linger.now)
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
            guard turns % Self.turn == 0 || crew.isWaiting && Linger.now - turnBegan > Self.turnTime else { continue }
            await crew.yield()
            turnBegan = Linger.now
        }
    }

    /// Makes one attempt. Returns whether the parcel is dealt with; if not, it rests.
    private func deliver(_ item: MailboxStateMachine<Parcel>.Item) async -> Bool {
        guard let failure = await deliver(item.element) else { return true }
        if !isLastAttempt(item.element.event), retry(item, error: "\(failure.error)") { return false }
        giveUp(item.element, failure)
        return true
    }

    // MARK: A chunk at a time

    /// Lets a worker run on this thread, and, when that is suspended in a call, another one.
    @available(macOS 26, iOS 26, tvOS 26, watchOS 26, visionOS 26, *)
    private func supervise() async {
        var shift = state.withLock { $0.machine.shiftBegan() }
        var begun = 0
        while true {
            // Owned by this mailbox: counted as a worker, as `start` says. Runs here until it ends or is suspended.
            Task.immediateDetached { [shift] in await self.work(on: shift) }
            switch state.withLock({ $0.machine.shiftLeft(shift) }) {
            case .end:
                return
            case .begin(let next):
                shift = next
                begun += 1
                if begun % Self.turn == 0 { await crew.yield() }
            case .yield(let same):
                shift = same
                await crew.yield()
            }
        }
    }

    /// Runs elements until none is left, or, on a shift, until it is time to leave the thread to others.
    private func work(on shift: UInt64?) async {
        let (body, isSimple, queueOutside) = (listener.body, listener.timeLimit == nil, queueOutside)
        var pace = Pace()
        var (turns, turnBegan) = (0, Linger.now)
        while let chunk = next(shift, &pace) {
            while let parcel = chunk.claim() {
                if queueOutside.isThere.load(ordering: .sequentiallyConsistent) { admit() }
                if isSimple, parcel.isPlain {
                    do {
                        try await body(parcel.event)
                    } catch {
                        giveUp(parcel, Failure(error: error, isTold: false))
                    }
                } else if let failure = await deliver(parcel) {
                    giveUp(parcel, failure)
                }
                pace.count &+= 1
                turns &+= 1
                // Each call, where they take long: 64 of them would be too much.
                let isLong = !pace.isQuick && crew.isWaiting && Linger.now - turnBegan > Self.turnTime
                guard isLong || turns % Self.turn == 0 else { continue }
                guard turns % Self.longTurn == 0 || crew.isWaiting || !pace.isQuick else { continue }
                if state.withLock({ $0.machine.turnEnded(by: shift) }) { return }
                await crew.yield()
                turnBegan = Linger.now
            }
            if !crew.isWaiting { linger.wait { state.withLock { $0.machine.canRun } } }
        }
    }

    private func next(_ shift: UInt64?, _ pace: inout Pace) -> Chunk<Parcel>? {
        let isMeasured = pace.measure()
        let (action, idle) = state.withLock { state in
            if isMeasured { state.machine.measured(areShort: pace.isQuick) }
            let action = state.machine.chunkAsked(by: shift)
            guard case .retire(isIdle: true) = action else { return (action, [IdleWaiter]()) }
            defer { state.idleWaiters = [] }
            return (action, state.idleWaiters)
        }
        guard case .run(let chunk, let startWorker) = action else {
            linger.ended()
            for waiter in idle { waiter.resume() }
            return nil
        }
        if startWorker { start() }
        return chunk
    }

    /// Lets producers in that wait for room.
    private func admit() {
        let (producers, startWorker) = state.withLock { state in
            let admitted = state.machine.admitted()
            queueOutside.isThere.store(state.machine.hasProducers, ordering: .sequentiallyConsistent)
            return (admitted.compactMap { state.producers.removeValue(forKey: $0) }, state.machine.startsWorker())
        }
        if startWorker { start() }
        for producer in producers { producer.resume() }
    }

    // MARK: One call

    private struct Failure {
        let error: any Error
        /// Whether it was reported when it happened.
        let isTold: Bool
    }

    /// Calls the listener. Returns what went wrong; if nothing did, the parcel is dealt with.
    private func deliver(_ parcel: Parcel) async -> Failure? {
        if let tracker = parcel.tracker, tracker.marksStart { await tracker.willRun(attempt: parcel.event.attempt) }
        switch await call(parcel.event) {
        case .returned:
            parcel.receipt?.didDeliver(error: nil)
            parcel.tracker?.ended(.finished)
            return nil
        case .threw(let error):
            return Failure(error: error, isTold: false)
        case .tookTooLong(let error):
            // The last attempt was told when its time was over.
            return Failure(error: error, isTold: isLastAttempt(parcel.event))
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

    private func giveUp(_ parcel: Parcel, _ failure: Failure) {
        parcel.receipt?.didDeliver(error: failure.error)
        parcel.tracker?.ended(.failed(error: "\(failure.error)", attempts: parcel.event.attempt))
        if !failure.isTold { tell(parcel.event, failure.error) }
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

    // MARK: Rests

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

/// Measures how long the calls of a worker take, now and then.
private struct Pace {
    /// Calls since the latest measurement.
    var count = 0
    private var since = Linger.now

    /// Whether the latest calls took less time, each, than it takes to start another worker.
    private(set) var isQuick = false

    /// Measures, if there were enough calls. Returns whether there were.
    mutating func measure() -> Bool {
        guard count >= 8 else { return false }
        let now = Linger.now
        isQuick = (now - since) / Int64(count) < 2_000
        (count, since) = (0, now)
        return true
    }
}
