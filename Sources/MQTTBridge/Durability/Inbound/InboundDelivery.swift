import AsyncEventBus
import Locking
import Logging
import MessageStore
import Mosquitto
import Synchronization

/// Delivers stored messages to durable listeners, and records which listeners have finished which messages.
///
/// ``dispatch(_:)``, ``forget(_:)`` and ``readOn(_:upTo:)`` are called under the store writer's lock; ``ended`` on any
/// thread. Messages given to ``dispatch(_:)`` reach the mailboxes a little later, and always before messages that are
/// read from the store afterwards.
final class InboundDelivery: TicketOwner {
    typealias Offer = (event: Event, attempt: Int, tracker: any DeliveryTracker)

    /// Messages that are offered to one mailbox together.
    struct Offers {
        let mailbox: DurableMailbox
        var offers: [Offer] = []
    }

    /// The number of crashes after which calls for a message are marked before they begin, since they may be the cause.
    static let suspiciousRecoveries = 3
    /// The number of interrupted calls after which a message becomes a dead letter.
    static let crashLimit = 5
    /// The maximum number of messages per read.
    static let page = 256

    let context: BridgeContext
    let store: any MessageStore
    let pending: PendingCommits
    let clock: StoreClock
    private let links: Locked<[String: String]> = Locked([:])
    let state: Locked<OpenDeliveries>
    private let handoff: DeferredDispatch<InboundBatch>
    private let stopped = Atomic<Bool>(false)

    /// - Parameter absent: The names of the listeners that messages of earlier processes wait for; nil if unknown.
    init(
        context: BridgeContext,
        store: any MessageStore,
        pending: PendingCommits,
        clock: StoreClock,
        absent: Set<String>?
    ) {
        self.context = context
        self.store = store
        self.pending = pending
        handoff = DeferredDispatch(context.timing)
        self.clock = clock
        state = Locked(OpenDeliveries(absent: absent))
    }

    /// Sets the identifier of the connection to a broker.
    func add(link: String, of broker: String) { links.withLock { $0[broker] = link } }

    /// Finds listeners that have joined or left the bus. New listeners get their stored messages; the messages of
    /// listeners that have left are finished.
    func runMaintenance() {
        // In this order: a known mailbox that is no longer on the bus has left for good.
        let known = state.withLock { Array($0.queues.keys) }
        let mailboxes = context.bus.durableMailboxes()
        let there = Set(mailboxes)
        let reading = state.withLock { state in
            state.joined(mailboxes) + state.left(known.filter { !there.contains($0) })
        }
        if !reading.isEmpty { pending.add(.now) { $0.reads.inbound.formUnion(reading) } }
    }

    // MARK: Under the store writer's lock

    /// Queues committed messages, to be delivered by ``beginDispatch()``.
    func dispatch(_ arrivals: InboundBatch) {
        guard !arrivals.isEmpty else { return }
        handoff.add(arrivals, messages: arrivals.count, bytes: arrivals.size) { deliver($0) }
    }

    /// Delivers the queued messages, now or soon.
    func beginDispatch() {
        handoff.begin { self.deliver($0) }
    }

    /// Returns once all queued messages are delivered.
    func finishDispatch() {
        handoff.finish { deliver($0) }
    }

    private func deliver(_ arrivals: InboundBatch) {
        guard !isStopped else { return }
        var offers: [Offers] = []
        let wanted = state.withLock { state -> [DurableMailbox] in
            var wanted: [DurableMailbox] = []
            for (position, target) in arrivals.targets.enumerated() {
                let (sequence, size) = (arrivals.records[position].sequence, arrivals.records[position].size)
                var running = 0
                for mailbox in target.mailboxes {
                    let (isDelivered, wantsRead) = state.arrived(sequence, size: size, for: mailbox)
                    if isDelivered {
                        running += 1
                        let ticket = ticket(sequence, size, mailbox, past: nil)
                        append((target.event, 1, ticket), for: mailbox, to: &offers, of: arrivals.count)
                    }
                    if wantsRead { wanted.append(mailbox) }
                }
                if running > 0 {
                    let waiting = OpenMessage.Waiting(target.mailboxes)
                    let record = arrivals.records[position]
                    state.open[sequence] = OpenMessage(record: record, waiting: waiting, running: running)
                }
                if target.mailboxes.isEmpty { state.absent?.formUnion(arrivals.records[position].listeners) }
            }
            return wanted
        }
        if !wanted.isEmpty { pending.add(.now) { $0.reads.inbound.formUnion(wanted) } }
        for group in offers where !group.mailbox.isImmediate { group.mailbox.offer(contentsOf: group.offers) }
        for group in offers where group.mailbox.isImmediate { group.mailbox.offer(contentsOf: group.offers) }
        if isStopped { for group in offers { group.mailbox.withdraw(from: self) } }
    }

    private func append(_ offer: Offer, for mailbox: DurableMailbox, to offers: inout [Offers], of count: Int) {
        if let position = offers.firstIndex(where: { $0.mailbox == mailbox }) {
            offers[position].offers.append(offer)
        } else {
            var group = Offers(mailbox: mailbox)
            group.offers.reserveCapacity(count)
            group.offers.append(offer)
            offers.append(group)
        }
    }

    /// Delivers committed messages that were not just received from a broker.
    func dispatch(_ records: [InboundRecord]) {
        guard !records.isEmpty else { return }
        var arrivals = InboundBatch()
        var lookup = ListenerLookup(context.bus)
        for record in records {
            let event = RecordCodec.event(record, link: link(of: record.broker), context: context)
            let mailboxes = lookup.mailboxes(of: record.event).filter { record.listeners.contains($0.name) }
            arrivals.append(record, event, mailboxes)
        }
        dispatch(arrivals)
        beginDispatch()
    }

    func link(of broker: String) -> String { links.withLock { $0[broker] ?? "" } }

    func ticket(_ sequence: Int64, _ size: Int, _ mailbox: DurableMailbox, past: DeliveryTicket.Past?) -> DeliveryTicket
    {
        DeliveryTicket(sequence: sequence, size: size, mailbox: mailbox, delivery: self, past: past)
    }

    /// Forgets unfinished messages that were removed from the store.
    func forget(_ sequences: some Sequence<Int64>) {
        finishDispatch()
        state.withLock { state in
            for sequence in sequences { state.open[sequence] = nil }
        }
    }

    // MARK: From the listeners

    /// An attempt failed, and another one follows.
    func attemptFailed(_ sequence: Int64, _ listener: String, _ progress: ListenerProgress) {
        let isOpen = state.withLock { state in
            state.unmark(sequence, listener)
            return state.open[sequence] != nil
        }
        guard isOpen else { return }
        pending.add { $0.progress.append(.init(sequence: sequence, listener: listener, progress: progress)) }
    }

    func ended(_ sequence: Int64, size: Int, _ mailbox: DurableMailbox, _ outcome: DeliveryOutcome) {
        let (ending, wantsRead) = state.withLock { state -> (OpenDeliveries.Ending?, Bool) in
            let isRemoved = if case .removed = outcome { true } else { false }
            if isRemoved, isStopped {
                state.withdrawn(sequence, size: size, mailbox)
                return (nil, false)
            }
            let wantsRead = state.queueEnded(mailbox, size: size, isRemoved: isRemoved)
            state.unmark(sequence, mailbox.name)
            return (state.ended(sequence, mailbox.name), wantsRead)
        }
        guard ending != nil || wantsRead else { return }
        var deadLetter: DeadLetter?
        if let ending, case .failed(let error, let attempts) = outcome {
            context.reporter.deadLetter(ending.record, listener: mailbox.name, error: error, attempts: attempts)
            let (name, now) = (mailbox.name, clock.now)
            deadLetter = DeadLetter(ending.record, listener: name, error: error, attempts: attempts, died: now)
        }
        pending.add(wantsRead ? .now : .soon) { changes in
            if wantsRead { changes.reads.inbound.insert(mailbox) }
            if let deadLetter { changes.addDeadLetter(deadLetter, for: sequence) }
            switch ending?.settlement {
            case .all?:
                let route = ending?.record.route ?? ""
                changes.finished.append(.init(sequence: sequence, route: route, size: size))
            case .one?:
                let progress = ListenerProgress(isFinished: true, attempts: 0)
                changes.progress.append(.init(sequence: sequence, listener: mailbox.name, progress: progress))
            case .unchanged?, nil: break
            }
        }
    }

    /// Returns once the start mark of a call is committed.
    ///
    /// - Parameter progress: The progress without this call.
    func recordStart(_ sequence: Int64, _ listener: String, _ progress: ListenerProgress) async {
        let start = state.withLock { state in
            state.open[sequence] == nil ? nil : state.mark(sequence, listener, after: progress)
        }
        guard let start else { return }
        pending.add { $0.progress.append(start) }
        await pending.committed()
    }

    // MARK: The end

    var isStopped: Bool { stopped.load(ordering: .sequentiallyConsistent) }

    /// The number of outstanding deliveries; after ``stop()``, of running calls.
    var running: Int { state.withLock { $0.queues.values.reduce(0) { $0 + $1.outstanding } } }

    /// Prevents further calls: queued messages stay in the store. Running calls continue, and are recorded until the
    /// store writer is closed.
    func stop() {
        stopped.store(true, ordering: .sequentiallyConsistent)
        for mailbox in context.bus.durableMailboxes() { mailbox.withdraw(from: self) }
    }

    /// Clears the start marks at an orderly end: no marked call has crashed the process.
    func clearStartMarks() {
        let marks = state.withLock { state in
            defer { state.startMarks = [:] }
            return state.startMarks
        }
        guard !marks.isEmpty else { return }
        pending.add { changes in
            changes.progress += marks.map { mark, progress in
                .init(sequence: mark.sequence, listener: mark.listener, progress: progress)
            }
        }
    }
}
