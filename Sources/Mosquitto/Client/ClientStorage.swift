import DequeModule
import Locking
import Logging

/// The state that the client's thread shares with other threads: the queue, the orders, and the waker of the thread.
final class ClientStorage: Sendable {
    /// A request to the client's thread.
    enum Order: Sendable {
        case subscribe([SubscriptionRequest], @Sendable (Result<[SubscriptionResult], ClientError>) -> Void)
        case unsubscribe([String], @Sendable (Result<Void, ClientError>) -> Void)
    }

    private struct State {
        enum Phase {
            case new, running, stopping, ended
        }

        var phase = Phase.new
        var queue: PublishQueue
        var orders: [Order] = []
        /// The size for which each waiter needs room, in bytes.
        var roomWaiters = Waiters<Int>()
        var hold = HoldStateMachine()
        var drainEnd: ContinuousClock.Instant?
        var abandoned = 0

        /// The first waiter, if there is room for it: smaller messages do not overtake a large one. A resumed waiter
        /// admits the next.
        mutating func admitted() -> Waiters<Int>.Waiter? {
            guard !roomWaiters.isEmpty else { return nil }
            return roomWaiters.removeFirst { [queue] size in queue.hasRoom(for: size) }
        }

        mutating func wishes(at now: ContinuousClock.Instant) -> Wishes {
            Wishes(hold: hold.state(at: now), isStopping: phase == .stopping, nextQoS: queue.nextQoS)
        }
    }

    let brokers: [BrokerURL]
    let options: ClientOptions
    let initialSubscriptions: [SubscriptionRequest]
    let delegate: any ClientDelegate
    let logger: Logger
    let waker = Waker()
    private let state: Locked<State>

    init(
        brokers: [BrokerURL],
        options: ClientOptions,
        subscriptions: [SubscriptionRequest],
        delegate: any ClientDelegate,
        logger: Logger
    ) {
        self.brokers = brokers
        self.options = options
        initialSubscriptions = subscriptions
        self.delegate = delegate
        self.logger = logger
        state = Locked(
            State(queue: PublishQueue(capacity: options.limits.queueCapacity, maximumBytes: options.limits.queueBytes))
        )
    }

    // MARK: From any thread

    func begin() -> Bool {
        state.withLock { state in
            guard state.phase == .new else { return state.phase == .stopping }
            state.phase = .running
            return true
        }
    }

    func shutDown() {
        state.withLock { if $0.phase != .ended { $0.phase = .stopping } }
        waker.wake()
    }

    func add(_ publication: Publication) throws(ClientError) {
        let refusal: ClientError.Code? = state.withLock { state in
            guard state.phase == .new || state.phase == .running else { return .notRunning }
            return state.queue.add(publication) ? nil : .queueFull
        }
        guard let refusal else {
            waker.wake()
            return
        }
        throw ClientError(refusal, operation: "publish to \"\(escapedForLog(publication.message.topic))\"")
    }

    /// Removes a publication that is still queued, without calling its completion.
    func withdraw(_ publication: Publication) {
        let waiter = state.withLock { state in state.queue.withdraw(publication) ? state.admitted() : nil }
        waiter?.resume()
    }

    func order(_ order: Order) {
        let isTaken = state.withLock { state in
            guard state.phase == .new || state.phase == .running else { return false }
            state.orders.append(order)
            return true
        }
        if isTaken { waker.wake() } else { order.fail(.notRunning(order.operation)) }
    }

    func waitForRoom(for size: Int) async throws {
        // Admits the next waiter: this task may leave the room unused, because it is cancelled or waits for another
        // broker too. A message too large for the room no longer blocks the queue of waiters.
        defer { admitNext() }
        try await state.wait(for: size, in: \.roomWaiters) { state, size in
            let hasRoom = state.roomWaiters.isEmpty && state.queue.hasRoom(for: size)
            return hasRoom || state.phase == .ended ? .success(()) : nil
        }
    }

    private func admitNext() {
        state.withLock { $0.admitted() }?.resume()
    }

    func hold() {
        let deadline = ContinuousClock.now + options.timeouts.longestHold
        state.withLock { $0.hold.held(until: deadline) }
        waker.wake()
    }

    func resume() {
        state.withLock { $0.hold.resumed() }
        waker.wake()
    }

    // MARK: From the client's thread

    func holdState(at now: ContinuousClock.Instant) -> HoldStateMachine.State {
        state.withLock { $0.hold.state(at: now) }
    }

    var resumptions: UInt64 { state.withLock { $0.hold.resumptions } }

    func refused(resumptions: UInt64) {
        state.withLock { $0.hold.refused(resumptions: resumptions) }
    }

    var isStopping: Bool { state.withLock { $0.phase == .stopping } }

    /// The number of outbound messages, queued or in flight.
    var waiting: Int { state.withLock { $0.queue.count } }

    /// The end of the drain, if ``limitDrain(until:)`` has set one.
    var drainEnd: ContinuousClock.Instant? { state.withLock { $0.drainEnd } }

    func limitDrain(until deadline: ContinuousClock.Instant) { state.withLock { $0.drainEnd = deadline } }

    var abandoned: Int { state.withLock { $0.abandoned } }

    var isDrained: Bool { state.withLock { $0.queue.isEmpty } }

    /// The state that other threads request.
    struct Wishes {
        let hold: HoldStateMachine.State
        let isStopping: Bool
        /// The QoS of the next message; nil if the queue is empty.
        let nextQoS: QoS?
    }

    func wishes(at now: ContinuousClock.Instant) -> Wishes {
        state.withLock { $0.wishes(at: now) }
    }

    /// The wishes and the pending orders; removes the orders.
    func takeOrders(at now: ContinuousClock.Instant) -> ([Order], Wishes) {
        state.withLock { state in
            defer { if !state.orders.isEmpty { state.orders.removeAll() } }
            return (state.orders, state.wishes(at: now))
        }
    }

    func takePublications(limit: Int, exactlyOnce: Int) -> [Publication] {
        state.withLock { $0.queue.take(limit: limit, exactlyOnce: exactlyOnce) }
    }

    /// Completes publications with the broker's reason codes.
    func complete(_ publications: [(publication: Publication, reason: ReasonCode)]) {
        guard !publications.isEmpty else { return }
        let waiter = state.withLock { state in
            for (publication, _) in publications { state.queue.completed(publication) }
            return state.admitted()
        }
        for (publication, reason) in publications { publication.completion?(.success(reason)) }
        waiter?.resume()
    }

    /// Completes a publication with an error.
    func fail(_ publication: Publication, _ error: ClientError) {
        let waiter = state.withLock { state in
            state.queue.completed(publication)
            return state.admitted()
        }
        publication.completion?(.failure(error))
        waiter?.resume()
    }

    func putBack(_ publications: [Publication]) {
        guard !publications.isEmpty else { return }
        state.withLock { $0.queue.returned(publications) }
    }

    /// Fails all that is left: publications, orders, and waiters for room.
    func end() {
        let (publications, orders, waiters) = state.withLock { state in
            state.phase = .ended
            defer { state.orders.removeAll() }
            let publications = state.queue.removeAll()
            state.abandoned = publications.count { $0.completion == nil }
            return (publications, state.orders, state.roomWaiters.removeAll { _ in true })
        }
        for publication in publications {
            publication.completion?(.failure(.notRunning("publish to \"\(escapedForLog(publication.message.topic))\"")))
        }
        for order in orders { order.fail(.notRunning(order.operation)) }
        for waiter in waiters { waiter.resume() }
    }
}

extension ClientStorage.Order {
    var operation: String {
        switch self {
        case .subscribe: "subscribe"
        case .unsubscribe: "unsubscribe"
        }
    }

    func fail(_ error: ClientError) {
        switch self {
        case .subscribe(_, let completion): completion(.failure(error))
        case .unsubscribe(_, let completion): completion(.failure(error))
        }
    }
}

extension ClientError {
    static func notRunning(_ operation: String) -> ClientError {
        ClientError(.notRunning, operation: operation)
    }
}
