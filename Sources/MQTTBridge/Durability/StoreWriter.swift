import AsyncEventBus
import Locking
import Logging
import MessageStore
import Mosquitto

/// Serialises all store writes: numbers messages, commits pending changes, then dispatches them in commit order.
///
/// A client's thread commits the messages that it has read, together with the changes that listeners, emitters and
/// acknowledgements have left in ``PendingCommits``. If no messages come in, the queue of the ``CommitScheduler``
/// commits. Listeners, emitters and acknowledgements never wait for the medium.
final class StoreWriter: Sendable {
    struct Core {
        var lastSequence: Int64
        var outbound: [String: OutboundDelivery] = [:]
        /// The error of the last commit or read; nil if it succeeded.
        var failure: StoreError?
        var failures = 0
        var isClosed = false

        /// Whether the medium is full: changes that free space are still committed, and stored messages still
        /// delivered.
        var isFull: Bool { failure?.code == .full }
        /// Whether the last received messages did not fit.
        var refusesArrivals = false
        /// Whether clients must stop reading, since their messages cannot be stored. On a full medium they may go on
        /// while received messages still fit: a client that does not read gets no acknowledgements, which free space.
        var mustHold: Bool { failure != nil && (!isFull || refusesArrivals) }
        /// Whether to commit and read before the next retry.
        var isUsable: Bool { failure == nil || isFull }
    }

    let store: any MessageStore
    let pending: PendingCommits
    let clock: StoreClock
    let inbound: InboundDelivery
    let pressure: StorePressure
    let context: BridgeContext
    let core: Locked<Core>
    let scheduler: CommitScheduler
    let commitWatch = CommitWatch()
    /// Ends with an error when the store has become unusable.
    private let (unusable, unusableEnd) = AsyncThrowingStream<Never, any Error>.makeStream()

    /// Recovers the store, and logs how many messages it holds.
    init(store: any MessageStore, context: BridgeContext) throws(StoreError) {
        self.store = store
        self.context = context
        scheduler = CommitScheduler(context.timing)
        clock = try StoreClock(store)
        let inventory = try store.recover()
        let routes = context.routes.now.routes
        var gauge = StoreGauge(context.options.store, routes: routes)
        for load in inventory.loads {
            gauge.add(load.direction, route: load.route, messages: load.messages, bytes: load.bytes)
        }
        pending = PendingCommits(gauge: gauge, scheduler: scheduler)
        inbound = InboundDelivery(
            context: context,
            store: store,
            pending: pending,
            clock: clock,
            absent: inventory.listeners ?? (gauge.messages(.inbound) > 0 ? nil : [])
        )
        pressure = StorePressure(pending: pending, routes: routes)
        core = Locked(Core(lastSequence: inventory.lastSequence))
        context.loopGuard.remember(inventory.seen, now: clock.now)
        scheduler.start(self)
        let found = (gauge.messages(.inbound), gauge.messages(.outbound))
        if found.0 + found.1 + inventory.deadLetters > 0 {
            context.logger.info(
                "the store holds messages",
                metadata: [
                    LogKey.inbound: "\(found.0)", LogKey.outbound: "\(found.1)",
                    LogKey.deadLetters: "\(inventory.deadLetters)",
                ]
            )
        }
    }

    // MARK: Brokers and routes

    /// Starts delivery of stored messages to a broker, and back-pressure on its client.
    func add(_ outbound: OutboundDelivery) {
        let outlet = outbound.outlet
        inbound.add(link: outlet.link, of: outlet.broker)
        pressure.add(outlet.client, of: outlet.broker)
        core.withLock { $0.outbound[outlet.broker] = outbound }
    }

    /// Ends delivery to a broker. Its stored messages stay in the store.
    func remove(_ broker: String) {
        let outbound = core.withLock { $0.outbound.removeValue(forKey: broker) }
        outbound?.close()
        pressure.remove(broker)
    }

    /// Releases the brokers of a bridge that is let go of.
    func removeBrokers() {
        for broker in core.withLock({ Array($0.outbound.keys) }) { remove(broker) }
    }

    /// Replaces the limits and policies of the routes.
    func use(_ routes: [Route]) {
        pending.withGauge { $0.use(routes) }
        pressure.use(routes)
        pending.admitWaiters()
    }

    func connected(_ broker: String) {
        let (outbound, last) = core.withLock { ($0.outbound[broker], $0.lastSequence) }
        outbound?.connected(lastSequence: last)
    }

    /// Whether the store holds a retained message for a topic of a broker that the client does not have yet.
    func holdsState(_ topic: String, for broker: String) -> Bool {
        core.withLock { $0.outbound[broker] }?.holdsState(topic) ?? false
    }

    func disconnected(_ broker: String) {
        core.withLock { $0.outbound[broker] }?.disconnected()
    }

    /// Whether the last commit or read failed.
    var isFailing: Bool { core.withLock { $0.failure != nil } }

    /// Returns when the task is cancelled. Call it once.
    ///
    /// - Throws: `StoreError` when the store is damaged beyond single messages.
    func untilUnusable() async throws {
        for try await _ in unusable {}
    }

    func becameUnusable(_ error: StoreError) { unusableEnd.finish(throwing: error) }

    // MARK: Changes

    /// The changes of one batch that a client's thread has received.
    struct ReceivedChanges {
        var arrivals = InboundBatch()
        var departures: [PendingPublish] = []
        var seen: [SeenIdentity] = []
        var deadLetters: [DeadLetter] = []
        /// Whether to write even if there are no changes.
        var isProbe = false
        /// A cache: the mailboxes and listener names of the last message, which the next one usually shares.
        private var mailboxes: [DurableMailbox] = []
        private var listeners: [String] = []
        private var time: Int64?

        init(isProbe: Bool = false) {
            self.isProbe = isProbe
        }

        var isEmpty: Bool { arrivals.isEmpty && departures.isEmpty && deadLetters.isEmpty }

        /// The time of the whole batch, read from the clock once.
        mutating func time(by clock: StoreClock) -> Int64 {
            let time = time ?? clock.now
            self.time = time
            return time
        }

        /// The distinct listener names of mailboxes.
        mutating func listeners(of mailboxes: [DurableMailbox]) -> [String] {
            if mailboxes == self.mailboxes { return listeners }
            self.mailboxes = mailboxes
            listeners = []
            for mailbox in mailboxes where !listeners.contains(mailbox.name) { listeners.append(mailbox.name) }
            return listeners
        }
    }

    /// Commits received changes together with the pending ones, then dispatches them. Blocks until the medium has them.
    ///
    /// - Parameter intake: Discarded messages are removed from it; the others get their sequences.
    func commit(_ intake: inout ReceivedChanges) throws(StoreError) {
        try core.withLock { core throws(StoreError) in try turn(&core, &intake) }
    }

    /// To be called when the acknowledgements of a committed batch are written.
    func wroteAcknowledgements() { inbound.beginDispatch() }

    /// - Parameter isProbe: Whether to write even if there are no changes.
    func turn(_ core: inout Core, isProbe: Bool = false) throws(StoreError) {
        var intake = ReceivedChanges(isProbe: isProbe)
        try turn(&core, &intake)
    }

    func dispatch(_ departures: [PendingPublish], _ core: Core) {
        guard !departures.isEmpty else { return }
        for departure in departures { departure.receipt?.didStore() }
        // The common case: one broker.
        if let (broker, outbound) = core.outbound.first, departures.allSatisfy({ $0.record.broker == broker }) {
            return outbound.dispatch(departures)
        }
        for (broker, own) in Dictionary(grouping: departures, by: \.record.broker) {
            if let outbound = core.outbound[broker] {
                outbound.dispatch(own)
            } else {
                // The broker was removed: its messages wait for a later process.
                for departure in own { departure.receipt?.didPostpone() }
            }
        }
    }

    /// Calls `body` with exclusive use of the store, then commits the pending changes. Does nothing while the store is
    /// unusable. An error of `body` counts as a failure of the store, which is retried.
    func whileUsable(_ body: (inout Core) throws(StoreError) -> Void) {
        core.withLock { core in
            guard !core.isClosed, core.isUsable else { return }
            do throws(StoreError) {
                try body(&core)
            } catch {
                failed(&core, error)
                return
            }
            // `turn` reports a failure and schedules the retry.
            try? turn(&core)
        }
    }
}

extension StoreWriter: CommitTarget {
    var commits: UInt64 { pending.progress.turns }

    func commits(newerThan commits: UInt64) -> UInt64? {
        inbound.beginDispatch()
        let progress = pending.progress
        return progress.turns == commits || progress.isEmpty ? nil : progress.turns
    }

    func commitPending() { whileUsable { _ in } }

    func readOn(for broker: String) { pending.add(.now) { $0.reads.outbound.insert(broker) } }
}
