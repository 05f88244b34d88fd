import Logging
import Locking

/// What the client's thread and everybody else share: the queue of messages, the orders, and a way to wake the thread.
final class ClientStorage: Sendable {
    /// Something that the thread is to do.
    enum Order: Sendable {
        case subscribe([SubscriptionRequest], @Sendable (Result<[SubscriptionResult], ClientError>) -> Void)
        case unsubscribe([String], @Sendable (Result<Void, ClientError>) -> Void)
    }

    private struct State {
        enum Phase {
            case new, running, stopping, ended
        }

        var phase = Phase.new
        var outbox: Outbox
        var orders: [Order] = []
        var roomWaiters: [UInt64: CheckedContinuation<Void, any Error>] = [:]
        var nextToken: UInt64 = 0
        var hold = HoldStateMachine()

        /// Those who waited for room, when there is some.
        mutating func admitted() -> [CheckedContinuation<Void, any Error>] {
            guard !roomWaiters.isEmpty, outbox.hasRoom else { return [] }
            defer { roomWaiters.removeAll() }
            return Array(roomWaiters.values)
        }

        mutating func wishes(at now: ContinuousClock.Instant) -> Wishes {
            Wishes(hold: hold.state(at: now), isStopping: phase == .stopping, nextQoS: outbox.nextQoS)
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
        state = Locked(State(outbox: Outbox(capacity: options.queueCapacity, maximumBytes: options.queueBytes)))
    }

    // MARK: From anywhere

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
            return state.outbox.add(publication) ? nil : .queueFull
        }
        guard let refusal else {
            waker.wake()
            return
        }
        throw ClientError(refusal, operation: "publish to \"\(escapedForLog(publication.message.topic))\"")
    }

    func order(_ order: Order) {
        let isTaken = state.withLock { state in
            guard state.phase == .new || state.phase == .running else { return false }
            state.orders.append(order)
            return true
        }
        if isTaken { waker.wake() } else { order.fail(.notRunning(order.operation)) }
    }

    func waitForRoom() async throws {
        let token = state.withLock { state in
            state.nextToken += 1
            return state.nextToken
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
                let isDone = state.withLock { state in
                    if state.outbox.hasRoom || state.phase == .ended { return true }
                    state.roomWaiters[token] = continuation
                    return false
                }
                if isDone { continuation.resume() } else if Task.isCancelled { cancelWait(token) }
            }
        } onCancel: {
            cancelWait(token)
        }
    }

    private func cancelWait(_ token: UInt64) {
        let waiter = state.withLock { $0.roomWaiters.removeValue(forKey: token) }
        waiter?.resume(throwing: CancellationError())
    }

    func hold() {
        let deadline = ContinuousClock.now + options.longestHold
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

    var isDrained: Bool { state.withLock { $0.outbox.isEmpty } }

    /// What others want of the client's thread.
    struct Wishes {
        let hold: HoldStateMachine.State
        let isStopping: Bool
        /// The QoS of the next message; nil where none waits.
        let nextQoS: QoS?
    }

    func wishes(at now: ContinuousClock.Instant) -> Wishes {
        state.withLock { $0.wishes(at: now) }
    }

    /// The wishes, and what is to be done at once.
    func takeOrders(at now: ContinuousClock.Instant) -> ([Order], Wishes) {
        state.withLock { state in
            defer { if !state.orders.isEmpty { state.orders.removeAll() } }
            return (state.orders, state.wishes(at: now))
        }
    }

    func takePublications(limit: Int, exactlyOnce: Int) -> [Publication] {
        state.withLock { $0.outbox.take(limit: limit, exactlyOnce: exactlyOnce) }
    }

    /// Publications are done with.
    func complete(_ publications: [(publication: Publication, reason: ReasonCode)]) {
        guard !publications.isEmpty else { return }
        let waiters = state.withLock { state in
            for (publication, _) in publications { state.outbox.completed(publication) }
            return state.admitted()
        }
        for (publication, reason) in publications { publication.completion?(.success(reason)) }
        for waiter in waiters { waiter.resume() }
    }

    /// A publication was given up.
    func fail(_ publication: Publication, _ error: ClientError) {
        let waiters = state.withLock { state in
            state.outbox.completed(publication)
            return state.admitted()
        }
        publication.completion?(.failure(error))
        for waiter in waiters { waiter.resume() }
    }

    func putBack(_ publications: [Publication]) {
        guard !publications.isEmpty else { return }
        state.withLock { $0.outbox.returned(publications) }
    }

    /// The end: whatever is still here is given up.
    func end() {
        let (publications, orders, waiters) = state.withLock { state in
            state.phase = .ended
            defer {
                state.orders.removeAll()
                state.roomWaiters.removeAll()
            }
            return (state.outbox.removeAll(), state.orders, state.roomWaiters.values.map { $0 })
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
