import Locking

/// The events that one ``EventBus/withSubscription(to:capacity:capacityBytes:whenFull:body:)`` receives, in order.
///
/// A sequence with one reader. It ends when the scope of the subscription ends or the reading task is cancelled.
public struct Subscription: AsyncSequence, Sendable {
    /// An event.
    public typealias Element = Event
    /// Reading never fails: a cancelled reader sees the end.
    public typealias Failure = Never

    let storage: SubscriptionStorage

    /// How many events were discarded because the reader was too slow.
    public var dropped: UInt64 { storage.dropped }

    /// Returns an iterator. Only one iterator may read at a time.
    public func makeAsyncIterator() -> Iterator { Iterator(storage: storage) }

    /// Reads the events of a subscription.
    public struct Iterator: AsyncIteratorProtocol {
        let storage: SubscriptionStorage

        /// The next event, or nil at the end.
        public mutating func next() async -> Event? {
            await storage.next()
        }

        /// The next event, or nil at the end.
        public mutating func next(isolation actor: isolated (any Actor)?) async -> Event? {
            await storage.next()
        }
    }
}

/// The lock and the continuations of a subscription.
final class SubscriptionStorage: EventSink {
    private struct State {
        var machine: SubscriptionStateMachine<PendingDelivery>
        var reader: Reader?
        var producers: [UInt64: CheckedContinuation<Void, any Error>] = [:]
        var nextToken: UInt64 = 0

        mutating func takeReader(for action: SubscriptionStateMachine<PendingDelivery>.OfferAction) -> Reader? {
            guard case .handOver = action else { return nil }
            defer { reader = nil }
            return reader
        }
    }

    private typealias Reader = CheckedContinuation<PendingDelivery?, Never>

    private let pattern: EventPattern
    private let report: @Sendable (BusReport) -> Void
    private let state: Locked<State>

    /// The bus forgets a subscription when it ends, so no name is stored for it.
    var asDurable: DurableMailbox? { nil }
    var isImmediate: Bool { false }
    var answersRequests: Bool { false }

    init(
        pattern: EventPattern,
        capacity: Int,
        capacityBytes: Int,
        policy: OverflowPolicy,
        report: @escaping @Sendable (BusReport) -> Void
    ) {
        self.pattern = pattern
        self.report = report
        let machine = SubscriptionStateMachine<PendingDelivery>(
            capacity: capacity,
            capacityBytes: capacityBytes,
            policy: policy
        )
        state = Locked(State(machine: machine))
    }

    var dropped: UInt64 { state.withLock { $0.machine.dropped } }

    func offer(_ delivery: PendingDelivery) {
        delivery.receipt?.willDeliver()
        let (action, reader, isFull, total) = state.withLock { state in
            let before = state.machine.dropped
            let action = state.machine.offered(delivery)
            let total = state.machine.dropped
            let begins = total > before && state.machine.beginsOverflow()
            return (action, state.takeReader(for: action), total > before, begins ? total : nil)
        }
        finish(action, delivery, reader: reader, isFull: isFull, total: total)
    }

    func offer(contentsOf deliveries: [PendingDelivery]) {
        // A subscription has one reader, which is slower than any lock.
        for delivery in deliveries { offer(delivery) }
    }

    func offerWhenRoom(_ delivery: PendingDelivery) async throws {
        try Task.checkCancellation()
        delivery.receipt?.willDeliver()
        let token = state.withLock { state in
            state.nextToken += 1
            return state.nextToken
        }
        do {
            try await withTaskCancellationHandler {
                try await withCheckedThrowingContinuation { (producer: CheckedContinuation<Void, any Error>) in
                    let (action, reader) = state.withLock { state in
                        guard let action = state.machine.sent(delivery, token: token) else {
                            state.producers[token] = producer
                            return (nil as SubscriptionStateMachine<PendingDelivery>.OfferAction?, nil as Reader?)
                        }
                        return (action, state.takeReader(for: action))
                    }
                    guard let action else {
                        if Task.isCancelled { cancelSend(token) }
                        return
                    }
                    finish(action, delivery, reader: reader, isFull: false, total: nil)
                    producer.resume()
                }
            } onCancel: {
                cancelSend(token)
            }
        } catch {
            delivery.receipt?.didDiscard()
            throw error
        }
    }

    func next() async -> Event? {
        guard !Task.isCancelled else { return nil }
        let delivery = await withTaskCancellationHandler {
            await withCheckedContinuation { (reader: Reader) in
                let (action, producer) = state.withLock { state in
                    let action = state.machine.asked()
                    switch action {
                    case .wait: state.reader = reader
                    case .element(_, let admitted?): return (action, state.producers.removeValue(forKey: admitted))
                    default: break
                    }
                    return (action, nil)
                }
                producer?.resume()
                switch action {
                case .element(let delivery, _): reader.resume(returning: delivery)
                case .end: reader.resume(returning: nil)
                case .wait: if Task.isCancelled { cancelRead() }
                }
            }
        } onCancel: {
            cancelRead()
        }
        delivery?.receipt?.didDeliver(error: nil)
        return delivery?.event
    }

    func close() {
        let (action, reader, producers) = state.withLock { state in
            let action = state.machine.closed()
            defer { state.reader = nil }
            return (action, state.reader, action.producers.compactMap { state.producers.removeValue(forKey: $0) })
        }
        for delivery in action.discarded { delivery.receipt?.didDiscard() }
        for producer in producers { producer.resume() }
        reader?.resume(returning: nil)
    }

    private func finish(
        _ action: SubscriptionStateMachine<PendingDelivery>.OfferAction,
        _ delivery: PendingDelivery,
        reader: Reader?,
        isFull: Bool,
        total: UInt64?
    ) {
        var discarded: [PendingDelivery] = []
        switch action {
        case .queued: break
        case .handOver(let delivery): reader?.resume(returning: delivery)
        case .displaced(let oldest): discarded = oldest
        case .discarded: discarded = [delivery]
        }
        for delivery in discarded { delivery.receipt?.didDiscard() }
        if isFull, let event = discarded.last?.event {
            let receiver = "subscription to \(pattern)"
            report(.dropped(receiver: receiver, event: event, number: discarded.count, total: total))
        }
    }

    private func cancelSend(_ token: UInt64) {
        // Returns the delivery too, to release it outside the lock.
        let cancelled = state.withLock { state in
            state.machine.sendCancelled(token: token).map { ($0, state.producers.removeValue(forKey: token)) }
        }
        cancelled?.1?.resume(throwing: CancellationError())
    }

    private func cancelRead() {
        let reader = state.withLock { state -> Reader? in
            guard state.machine.readCancelled() else { return nil }
            defer { state.reader = nil }
            return state.reader
        }
        reader?.resume(returning: nil)
    }
}
