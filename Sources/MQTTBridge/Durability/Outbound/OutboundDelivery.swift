import AsyncEventBus
import Locking
import MessageStore
import Mosquitto

/// Publishes the stored messages of one broker, and records which of them the broker has acknowledged.
///
/// ``dispatch(_:)`` and ``readOn(upTo:)`` are called under the store writer's lock; the other methods on any thread.
final class OutboundDelivery: Sendable {
    private typealias Item = OutboundQueue.Item

    let outlet: BrokerOutlet
    private let broker: String
    private let context: BridgeContext
    private let store: any MessageStore
    private let pending: PendingCommits
    private let clock: StoreClock
    private let queue: Locked<OutboundQueue>

    init(
        _ outlet: BrokerOutlet,
        broker: Broker,
        context: BridgeContext,
        store: any MessageStore,
        pending: PendingCommits,
        clock: StoreClock
    ) throws(StoreError) {
        self.outlet = outlet
        self.broker = broker.name
        self.context = context
        self.store = store
        self.pending = pending
        self.clock = clock
        let topics = try store.outboundTopics(to: broker.name, limit: OutboundQueue.topicLimit + 1)
        queue = Locked(
            OutboundQueue(
                // Enough to refill the in-flight window while the store is read.
                limit: min(
                    max(256, Int(broker.options.limits.inFlightWindow) * 4),
                    max(1, broker.options.limits.queueCapacity / 2)
                ),
                rate: broker.drainRate,
                isBehind: !topics.isEmpty,
                topics: topics.count > OutboundQueue.topicLimit ? nil : Set(topics.map { ExactText($0) })
            )
        )
    }

    func connected(lastSequence: Int64) {
        queue.withLock { $0.connected(lastSequence: lastSequence) }
        // Unconditionally, since retries may be due.
        pending.add(.now) { $0.reads.outbound.insert(broker) }
    }

    func disconnected() {
        queue.withLock { $0.disconnected() }
    }

    /// Whether the store holds a retained message for a topic that the client does not have yet.
    func holdsState(_ topic: String) -> Bool { queue.withLock { $0.holdsState(ExactText(topic)) } }

    private func requestRead() {
        if queue.withLock({ $0.wantsRead() }) { pending.add(.now) { $0.reads.outbound.insert(broker) } }
    }

    // MARK: Under the store writer's lock

    /// Publishes committed messages, or leaves them in the store to be read later.
    func dispatch(_ departures: [PendingPublish]) {
        var waiting = 0
        for departure in departures {
            let item = Item(
                record: departure.record,
                message: departure.message,
                receipt: departure.receipt,
                state: departure.state
            )
            let (published, waits) = queue.withLock { queue -> (Item?, Bool) in
                let published = queue.arrived(item)
                return (published, published == nil && !queue.isInFlight(departure.record.sequence))
            }
            if waits {
                waiting += 1
                departure.state?.end()
                if let receipt = departure.receipt { receipts.withLock { $0[departure.record.sequence] = receipt } }
            }
            if let published { publish(published) }
        }
        guard waiting > 0, let last = departures.last else { return }
        context.reporter.count(
            .stored,
            broker: broker,
            topic: last.record.topic,
            reason: "waits for the broker",
            number: waiting
        )
        requestRead()
    }

    /// The receipts of messages that are only in the store.
    private let receipts = Locked<[Int64: TransportReceipt]>([:])

    /// Publishes stored messages, as far as there is room.
    ///
    /// - Parameter last: The highest committed sequence.
    /// - Returns: The delay after which to call again; nil if no call is needed.
    func readOn(upTo last: Int64) throws(StoreError) -> Duration? {
        let now = context.timing.now()
        for item in queue.withLock({ $0.due(at: now) }) { publish(item) }
        let (slice, cursor) = queue.withLock { ($0.readBegan(at: now), $0.cursor.sequence) }
        if slice.count > 0 {
            let bytes = OutboundQueue.byteLimit
            let records = try store.outbound(to: broker, after: cursor, limit: slice.count, bytes: bytes)
            for record in records { read(record) }
            if records.isEmpty { queue.withLock { $0.caughtUp() } }
        }
        let retry = queue.withLock { $0.nextRetry }.map { now.duration(to: $0) }
        if slice.later == nil { requestRead() }
        return [slice.later, retry].compactMap { $0 }.min()
    }

    private func read(_ record: OutboundRecord) {
        let receipt = receipts.withLock { $0.removeValue(forKey: record.sequence) }
        if let expires = record.expires, expires <= clock.now, queue.withLock({ $0.skipped(record.sequence) }) {
            receipt?.didRefuse(Self.expired(record), endsStoring: false)
            context.reporter.dropped(record, "expired")
            done(record)
            return
        }
        let item = Item(record: record, message: RecordCodec.message(record), receipt: receipt)
        if let item = queue.withLock({ $0.read(item) }) { publish(item) }
    }

    private static func expired(_ record: OutboundRecord) -> ClientError {
        ClientError(
            .timedOut,
            operation: "publish to \"\(escapedForLog(record.topic))\"",
            detail: "the message expired before it could be published"
        )
    }

    /// Published messages have left the store.
    func removed(_ sequences: [Int64]) {
        queue.withLock { $0.removed(sequences) }
    }

    /// Unpublished messages were removed from the store: evicted, expired or damaged.
    func evicted(_ removals: [StoreRemoval]) {
        for removal in removals {
            let receipt = receipts.withLock { $0.removeValue(forKey: removal.sequence) }
            receipt?.didRefuse(
                ClientError(
                    .queueFull,
                    operation: "publish to \"\(escapedForLog(removal.topic))\"",
                    detail: "removed from the store: \(removal.reason.rawValue)"
                ),
                endsStoring: false
            )
        }
        queue.withLock { $0.evicted(removals.map(\.sequence)) }
    }

    /// Postpones all receipts at the end of the process: the next one publishes the stored messages.
    func close() {
        let waiting = receipts.withLock { receipts in
            defer { receipts = [:] }
            return Array(receipts.values)
        }
        for receipt in waiting + queue.withLock({ $0.held }).compactMap(\.receipt) { receipt.didPostpone() }
    }

    // MARK: Publishing

    private func publish(_ item: Item) {
        var message = item.message
        if let expires = item.record.expires, outlet.format.version == .v5 {
            // In whole seconds (MQTT 5, section 3.3.2.3.3); zero would expire at once.
            message.properties.expiry = .seconds(max(1, (expires - clock.now) / 1_000_000_000))
        }
        do throws(ClientError) {
            let state = message.isRetained ? item.state ?? outlet.stateInFlight(on: message.topic, context) : nil
            try outlet.publish(message, context, state: state) { [self] result in answered(item, result) }
        } catch {
            answered(item, .failure(error))
        }
    }

    private func answered(_ item: Item, _ result: Result<ReasonCode, ClientError>) {
        switch result {
        case .success(let reason):
            CrashPoint.afterPuback.pass()
            item.receipt?.didPublish(isUnheard: reason == .noMatchingSubscribers)
            end(item, isDone: true)
        case .failure(let error):
            var item = item
            if error.code != .queueFull { item.attempts += 1 }
            switch RefusalPolicy.verdict(error, attempts: item.attempts, chance: context.timing.chance) {
            case .keep:
                item.receipt?.didPostpone()
                // The client has ended: further reading is pointless.
                queue.withLock { $0.disconnected() }
                end(item, isDone: false)
            case .retry(let pause):
                // A full client queue is not a refusal by the broker.
                if error.code != .queueFull {
                    context.reporter.count(.refused, broker: broker, topic: item.record.topic, reason: "\(error)")
                }
                queue.withLock { $0.refused(item, retryAt: context.timing.now() + pause) }
                pending.add(.now) { $0.reads.outbound.insert(broker) }
            case .giveUp:
                item.receipt?.didRefuse(error, endsStoring: false)
                let deadLetter = DeadLetter(item.record, error: "\(error)", attempts: item.attempts, died: clock.now)
                context.reporter.deadLetter(item.record, error: "\(error)", attempts: item.attempts)
                pending.add { $0.addDeadLetter(deadLetter, for: item.record.sequence) }
                end(item, isDone: true)
            }
        }
    }

    private func end(_ item: Item, isDone: Bool) {
        let (wasEvicted, hasReleased) = queue.withLock { $0.ended(item) }
        if isDone, !wasEvicted { done(item.record) }
        // Released messages are published by `readOn`, so that no newer message of their topic overtakes them.
        if hasReleased { pending.add(.now) { $0.reads.outbound.insert(broker) } } else { requestRead() }
    }

    private func done(_ record: OutboundRecord) {
        pending.add { $0.published.append(.init(sequence: record.sequence, route: record.route, size: record.size)) }
    }
}
