import AsyncEventBus
import Locking
import MessageStore

/// Hands stored messages to named listeners, and notes who has finished with what.
///
/// ``dispatch(_:)``, ``forget(_:)`` and ``readOn(_:upTo:)`` are called one at a time, by whoever has the store open;
/// ``ended`` from anywhere. What ``dispatch(_:)`` takes reaches the mailboxes a little later, and
/// always before what is read from the store afterwards.
final class Deliveries: Sendable {
    private typealias Offer = (event: Event, attempt: Int, tracker: any DeliveryTracker)

    /// What goes into one mailbox together.
    private struct Offers {
        let inbox: NamedInbox
        var offers: [Offer] = []
    }

    /// After so many processes have found a message, its calls are noted before they begin: it may be what ends them.
    static let suspiciousRecoveries = 3
    /// So many calls that began and never ended are enough.
    static let crashLimit = 5
    /// The most messages read from the store at a time.
    private static let page = 256

    private let context: BridgeContext
    private let store: any MessageStore
    private let work: StoreWork
    private let clock: StoreClock
    private let links: Locked<[String: String]> = Locked([:])
    private let state: Locked<OpenDeliveries>
    private let handoff = Handoff<Arrivals>()

    init(context: BridgeContext, store: any MessageStore, work: StoreWork, clock: StoreClock, hasLegacy: Bool) {
        self.context = context
        self.store = store
        self.work = work
        self.clock = clock
        state = Locked(OpenDeliveries(hasLegacy: hasLegacy))
    }

    /// What the connection to a broker is called.
    func setLink(_ link: String, of broker: String) { links.withLock { $0[broker] = link } }

    /// Lets the listeners that are on the bus now have what waits for them.
    func begin() {
        guard state.withLock({ $0.hasLegacy }) else { return }
        let inboxes = context.bus.namedInboxes()
        let new = state.withLock { state in
            inboxes.filter { inbox in
                guard state.queues[inbox] == nil else { return false }
                state.queues[inbox] = ListenerQueue(capacity: inbox.capacity, isBehind: true)
                return state.queues[inbox]?.wantsRead() ?? false
            }
        }
        if !new.isEmpty { work.add(.now) { $0.deliveries.formUnion(new) } }
    }

    // MARK: While the store is open

    /// Takes messages that were just committed, to hand them over with ``beginDispatch()``.
    func dispatch(_ arrivals: Arrivals) {
        guard !arrivals.isEmpty else { return }
        handoff.add(arrivals, messages: arrivals.count, bytes: arrivals.size) { handOver($0) }
    }

    /// Hands over what was committed, now or soon.
    func beginDispatch() {
        handoff.begin { self.handOver($0) }
    }

    /// Returns once everything that was committed is handed over.
    func finishDispatch() {
        handoff.finish { handOver($0) }
    }

    private func handOver(_ arrivals: Arrivals) {
        var offers: [Offers] = []
        let wanted = state.withLock { state -> [NamedInbox] in
            var wanted: [NamedInbox] = []
            for (position, target) in arrivals.targets.enumerated() {
                let (sequence, size) = (arrivals.records[position].sequence, arrivals.records[position].size)
                var running = 0
                for inbox in target.inboxes {
                    let (isHanded, wantsRead) = state.arrived(sequence, size: size, for: inbox)
                    if isHanded {
                        running += 1
                        let ticket = ticket(sequence, size, inbox)
                        append((target.event, 1, ticket), for: inbox, to: &offers, of: arrivals.count)
                    }
                    if wantsRead { wanted.append(inbox) }
                }
                if running > 0 {
                    let waiting = OpenMessage.Waiting(target.inboxes)
                    let record = arrivals.records[position]
                    state.open[sequence] = OpenMessage(record: record, waiting: waiting, running: running)
                }
                if target.inboxes.isEmpty { state.hasLegacy = true }
            }
            return wanted
        }
        if !wanted.isEmpty { work.add(.now) { $0.deliveries.formUnion(wanted) } }
        for group in offers where !group.inbox.isImmediate { group.inbox.offer(contentsOf: group.offers) }
        for group in offers where group.inbox.isImmediate { group.inbox.offer(contentsOf: group.offers) }
    }

    private func append(_ offer: Offer, for inbox: NamedInbox, to offers: inout [Offers], of count: Int) {
        if let position = offers.firstIndex(where: { $0.inbox == inbox }) {
            offers[position].offers.append(offer)
        } else {
            var group = Offers(inbox: inbox)
            group.offers.reserveCapacity(count)
            group.offers.append(offer)
            offers.append(group)
        }
    }

    /// Reads on for listeners that have room.
    ///
    /// - Parameter last: The highest sequence that was committed.
    func readOn(_ inboxes: Set<NamedInbox>, upTo last: Int64) throws(StoreError) {
        finishDispatch()
        for inbox in inboxes {
            let (cursor, room) = state.withLock { state -> (Int64, Int) in
                state.queues[inbox]?.readBegan()
                guard let queue = state.queues[inbox], queue.isBehind else { return (0, 0) }
                return (queue.cursor, queue.isRemoved ? Self.page : queue.room)
            }
            guard room > 0 else { continue }
            let limit = min(Self.page, room)
            let entries = try store.inbound(after: cursor, limit: limit, bytes: ListenerQueue.byteLimit)
            accept(entries, for: inbox, upTo: last)
        }
    }

    private func accept(_ entries: [InboundEntry], for inbox: NamedInbox, upTo last: Int64) {
        let now = clock.now
        var offers = Offers(inbox: inbox)
        var settled: [(InboundRecord, DeliveryOutcome?)] = []
        let wantsMore = state.withLock { state -> Bool in
            guard var queue = state.queues[inbox] else { return false }
            for entry in entries {
                let record = entry.record
                queue.read(through: record.sequence)
                let known = entry.progress[inbox.name]
                guard record.audience.contains(inbox.name), known?.isFinished != true else { continue }
                var open =
                    state.open[record.sequence]
                    ?? OpenMessage(record: record, waiting: waiting(entry, queues: state.queues))
                guard open.waiting.contains(inbox.name) else { continue }
                open.running += 1
                state.open[record.sequence] = open
                queue.handedOver(size: record.size)
                if queue.isRemoved {
                    settled.append((record, .removed))
                } else if let expires = record.expires, expires <= now {
                    settled.append((record, nil))
                } else if (known?.attempts ?? 0) >= Self.crashLimit, entry.recoveries >= Self.suspiciousRecoveries {
                    let error = "the process ended each time while the listener ran"
                    settled.append((record, .failed(error: error, attempts: known?.attempts ?? 0)))
                } else {
                    // Whether it ran when an earlier process ended is only known where that was noted.
                    let attempt = known.map { $0.attempts + 1 } ?? (entry.recoveries > 0 ? 2 : 1)
                    let event = RecordCodec.event(record, link: link(of: record.broker), context: context)
                    let isSuspicious = entry.recoveries >= Self.suspiciousRecoveries
                    let ticket = ticket(record.sequence, record.size, inbox, marksStart: isSuspicious)
                    offers.offers.append((event, attempt, ticket))
                }
            }
            let through = entries.last?.record.sequence ?? last
            if entries.isEmpty || through >= last { queue.caughtUp() }
            let wantsMore = queue.wantsRead()
            state.queues[inbox] = queue
            return wantsMore
        }
        if wantsMore { work.add(.now) { $0.deliveries.insert(inbox) } }
        inbox.offer(contentsOf: offers.offers)
        for (record, outcome) in settled {
            if outcome == nil { context.reporter.dropped(record, "expired") }
            ended(record.sequence, size: record.size, inbox, outcome ?? .finished)
        }
    }

    /// Who has not finished with a message that no mailbox has: listeners that have still to read it, and those that
    /// are not on the bus.
    private func waiting(_ entry: InboundEntry, queues: [NamedInbox: ListenerQueue]) -> OpenMessage.Waiting {
        var waiting: [String: Int] = [:]
        for name in entry.record.audience where entry.progress[name]?.isFinished != true {
            let own = queues.filter { $0.key.name == name }
            let behind = own.count { $0.value.isBehind && $0.value.cursor < entry.record.sequence }
            if behind > 0 || own.isEmpty { waiting[name] = max(1, behind) }
        }
        return OpenMessage.Waiting(waiting)
    }

    /// Hands over messages that were committed without having been read from a broker just now.
    func dispatch(_ records: [InboundRecord]) {
        guard !records.isEmpty else { return }
        var arrivals = Arrivals()
        let inboxes = context.bus.namedInboxes()
        for record in records {
            let event = RecordCodec.event(record, link: link(of: record.broker), context: context)
            arrivals.append(record, event, inboxes.filter { record.audience.contains($0.name) })
        }
        dispatch(arrivals)
        beginDispatch()
    }

    private func link(of broker: String) -> String { links.withLock { $0[broker] ?? "" } }

    private func ticket(
        _ sequence: Int64,
        _ size: Int,
        _ inbox: NamedInbox,
        marksStart: Bool = false
    ) -> DeliveryTicket {
        DeliveryTicket(sequence: sequence, size: size, inbox: inbox, deliveries: self, marksStart: marksStart)
    }

    /// Messages were removed from the store although nobody was done with them.
    func forget(_ sequences: some Sequence<Int64>) {
        finishDispatch()
        state.withLock { state in
            for sequence in sequences { state.open[sequence] = nil }
        }
    }

    // MARK: From the listeners

    func attemptFailed(_ sequence: Int64, _ listener: String, attempts: Int) {
        guard state.withLock({ $0.open[sequence] != nil }) else { return }
        let progress = ListenerProgress(isFinished: false, attempts: attempts)
        work.add { $0.progress.append(.init(sequence: sequence, listener: listener, progress: progress)) }
    }

    func ended(_ sequence: Int64, size: Int, _ inbox: NamedInbox, _ outcome: DeliveryOutcome) {
        let (ending, wantsRead) = state.withLock { state in
            let isRemoved = if case .removed = outcome { true } else { false }
            let wantsRead = state.queueEnded(inbox, size: size, isRemoved: isRemoved)
            return (state.ended(sequence, inbox.name), wantsRead)
        }
        guard ending != nil || wantsRead else { return }
        var letter: DeadLetter?
        if let ending, case .failed(let error, let attempts) = outcome {
            context.reporter.deadLetter(ending.record, listener: inbox.name, error: error, attempts: attempts)
            let (name, now) = (inbox.name, clock.now)
            letter = DeadLetter(ending.record, listener: name, error: error, attempts: attempts, died: now)
        }
        work.add(wantsRead ? .now : .soon) { changes in
            if wantsRead { changes.deliveries.insert(inbox) }
            if let letter { changes.letters.append(letter) }
            switch ending?.settlement {
            case .all?:
                let route = ending?.record.route ?? ""
                changes.finished.append(.init(sequence: sequence, route: route, size: size))
            case .one?:
                let progress = ListenerProgress(isFinished: true, attempts: 0)
                changes.progress.append(.init(sequence: sequence, listener: inbox.name, progress: progress))
            case .nobody?, nil: break
            }
        }
    }

    /// Returns once a call that is about to begin is noted in the store.
    func noteStart(_ sequence: Int64, _ listener: String, attempt: Int) async {
        attemptFailed(sequence, listener, attempts: attempt)
        await work.committed()
    }
}
