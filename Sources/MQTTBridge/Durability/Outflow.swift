import AsyncEventBus
import Locking
import MessageStore
import Mosquitto

/// Publishes the stored messages of one broker, and notes which the broker has taken.
///
/// ``dispatch(_:)`` and ``readOn(upTo:)`` are called one at a time, by whoever has the store open; the rest from anywhere.
final class Outflow: Sendable {
    private typealias Item = OutflowQueue.Item

    let outlet: Sender.Outlet
    private let broker: String
    private let context: BridgeContext
    private let store: any MessageStore
    private let work: StoreWork
    private let clock: StoreClock
    private let queue: Locked<OutflowQueue>

    init(
        _ outlet: Sender.Outlet,
        broker: Broker,
        context: BridgeContext,
        store: any MessageStore,
        work: StoreWork,
        clock: StoreClock
    ) throws(StoreError) {
        self.outlet = outlet
        self.broker = broker.name
        self.context = context
        self.store = store
        self.work = work
        self.clock = clock
        let topics = try store.outboundTopics(to: broker.name, limit: OutflowQueue.topicLimit + 1)
        queue = Locked(
            OutflowQueue(
                // Enough to fill the window again while the store is read.
                limit: min(max(256, Int(broker.options.inFlightWindow) * 4), max(1, broker.options.queueCapacity / 2)),
                rate: broker.drainRate,
                isBehind: !topics.isEmpty,
                topics: topics.count > OutflowQueue.topicLimit ? nil : Set(topics.map { ExactText($0) })
            )
        )
    }

    func connected(lastSequence: Int64) {
        queue.withLock { $0.connected(lastSequence: lastSequence) }
        // Also for those that are to be tried again.
        work.add(.now) { $0.outflows.insert(broker) }
    }

    func disconnected() {
        queue.withLock { $0.disconnected() }
    }

    private func requestRead() {
        if queue.withLock({ $0.wantsRead() }) { work.add(.now) { $0.outflows.insert(broker) } }
    }

    // MARK: While the store is open

    /// Publishes messages that were just committed, or leaves them to be read later.
    func dispatch(_ departures: [Departure]) {
        var waiting = 0
        for departure in departures {
            let item = Item(record: departure.record, message: departure.message, receipt: departure.receipt)
            let (published, waits) = queue.withLock { queue -> (Item?, Bool) in
                let published = queue.arrived(item)
                return (published, published == nil && queue.isBehind)
            }
            if waits {
                waiting += 1
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

    /// Of messages that are in the store only.
    private let receipts = Locked<[Int64: Receipt]>([:])

    /// Publishes what waits in the store, as far as there is room.
    ///
    /// - Parameter last: The highest sequence that was committed.
    /// - Returns: When to ask again, if that must be later.
    func readOn(upTo last: Int64) throws(StoreError) -> Duration? {
        let now = ContinuousClock.now
        for item in queue.withLock({ $0.due(at: now) }) { publish(item) }
        let (share, cursor) = queue.withLock { ($0.readBegan(at: now), $0.cursor) }
        if share.count > 0 {
            let bytes = OutflowQueue.byteLimit
            let records = try store.outbound(to: broker, after: cursor, limit: share.count, bytes: bytes)
            for record in records { read(record) }
            if records.isEmpty { queue.withLock { $0.caughtUp() } }
        }
        let retry = queue.withLock { $0.nextRetry }.map { now.duration(to: $0) }
        if share.later == nil { requestRead() }
        return [share.later, retry].compactMap { $0 }.min()
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
            detail: "its time was over before the broker could take it"
        )
    }

    /// Messages have left the store.
    func left(_ sequences: [Int64]) {
        queue.withLock { $0.left(sequences) }
    }

    /// Messages were removed from the store to make room, or because their time was over.
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

    /// The process ends: what is in the store only is for the next one.
    func close() {
        let waiting = receipts.withLock { receipts in
            defer { receipts = [:] }
            return Array(receipts.values)
        }
        let error = ClientError(.notRunning, operation: "publish what is stored")
        for receipt in waiting + queue.withLock({ $0.held }).compactMap(\.receipt) {
            receipt.didRefuse(error, endsStoring: false)
        }
    }

    // MARK: Publishing

    private func publish(_ item: Item) {
        var message = item.message
        if let expires = item.record.expires, outlet.format.version == .v5 {
            // Brokers count in whole seconds, and zero means at once.
            message.properties.expiry = .seconds(max(1, (expires - clock.now) / 1_000_000_000))
        }
        do throws(ClientError) {
            try outlet.publish(message, context) { [self] result in answered(item, result) }
        } catch {
            answered(item, .failure(error))
        }
    }

    private func answered(_ item: Item, _ result: Result<ReasonCode, ClientError>) {
        switch result {
        case .success:
            CrashPoint.afterPuback.pass()
            item.receipt?.didPublish()
            end(item, isDone: true)
        case .failure(let error):
            var item = item
            if error.code != .queueFull { item.attempts += 1 }
            switch PublishRule.verdict(error, attempts: item.attempts) {
            case .keep:
                item.receipt?.didRefuse(error, endsStoring: false)
                // Nothing is worth reading any more.
                queue.withLock { $0.disconnected() }
                end(item, isDone: false)
            case .retry(let pause):
                queue.withLock { $0.refused(item, retryAt: .now + pause) }
                work.add(.now) { $0.outflows.insert(broker) }
            case .giveUp:
                item.receipt?.didRefuse(error, endsStoring: false)
                let letter = DeadLetter(item.record, error: "\(error)", attempts: item.attempts, died: clock.now)
                context.reporter.deadLetter(item.record, error: "\(error)", attempts: item.attempts)
                work.add { $0.letters.append(letter) }
                end(item, isDone: true)
            }
        }
    }

    private func end(_ item: Item, isDone: Bool) {
        let (wasEvicted, hasReleased) = queue.withLock { $0.ended(item) }
        if isDone, !wasEvicted { done(item.record) }
        // They are published where the store is read, so that nothing newer of their topic comes between.
        if hasReleased { work.add(.now) { $0.outflows.insert(broker) } } else { requestRead() }
    }

    private func done(_ record: OutboundRecord) {
        work.add { $0.published.append(.init(sequence: record.sequence, route: record.route, size: record.size)) }
    }
}
