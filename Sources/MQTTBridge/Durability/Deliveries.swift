import AsyncEventBus
import Locking
import MessageStore

/// A message that was committed, as it is handed to listeners.
struct Arrival: Sendable {
    var record: InboundRecord
    let event: Event
    let inboxes: [NamedInbox]
}

/// Hands stored messages to named listeners, and notes who has finished with what.
///
/// ``dispatch(_:)`` and ``readOn(_:upTo:)`` are called one at a time, by whoever has the store open; ``ended`` from
/// anywhere.
final class Deliveries: Sendable {
    private struct Open {
        let record: InboundRecord
        /// The listeners that have not finished, each with the number of mailboxes under that name.
        var waiting: [String: Int]
        /// Mailboxes that have it now.
        var running = 0
    }

    private struct State {
        var queues: [NamedInbox: ListenerQueue] = [:]
        /// Messages that some mailbox has.
        var open: [Int64: Open] = [:]
        /// Whether the store may hold messages for listeners that are not on the bus yet.
        var hasLegacy: Bool
    }

    private struct Offer {
        let inbox: NamedInbox
        let event: Event
        let attempt: Int
        let ticket: DeliveryTicket
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
    private let state: Locked<State>

    init(context: BridgeContext, store: any MessageStore, work: StoreWork, clock: StoreClock, hasLegacy: Bool) {
        self.context = context
        self.store = store
        self.work = work
        self.clock = clock
        state = Locked(State(hasLegacy: hasLegacy))
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

    /// Hands over messages that were just committed.
    func dispatch(_ arrivals: [Arrival]) {
        var offers: [Offer] = []
        let wanted = state.withLock { state -> [NamedInbox] in
            var wanted: [NamedInbox] = []
            for arrival in arrivals {
                let record = arrival.record
                var open = Open(record: record, waiting: [:])
                for inbox in arrival.inboxes {
                    open.waiting[inbox.name, default: 0] += 1
                    var queue =
                        state.queues[inbox] ?? ListenerQueue(capacity: inbox.capacity, isBehind: state.hasLegacy)
                    if queue.arrived(record.sequence, size: record.size) {
                        open.running += 1
                        offers.append(offer(arrival.event, record, to: inbox, attempt: 1))
                    }
                    if queue.wantsRead() { wanted.append(inbox) }
                    state.queues[inbox] = queue
                }
                if open.running > 0 { state.open[record.sequence] = open }
                if arrival.inboxes.isEmpty { state.hasLegacy = true }
            }
            return wanted
        }
        if !wanted.isEmpty { work.add(.now) { $0.deliveries.formUnion(wanted) } }
        hand(offers)
    }

    /// Reads on for listeners that have room.
    ///
    /// - Parameter last: The highest sequence that was committed.
    func readOn(_ inboxes: Set<NamedInbox>, upTo last: Int64) throws(StoreError) {
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
        var offers: [Offer] = []
        var settled: [(InboundRecord, DeliveryOutcome?)] = []
        let wantsMore = state.withLock { state -> Bool in
            guard var queue = state.queues[inbox] else { return false }
            for entry in entries {
                let record = entry.record
                queue.read(through: record.sequence)
                let known = entry.progress[inbox.name]
                guard record.audience.contains(inbox.name), known?.isFinished != true else { continue }
                var open = state.open[record.sequence] ?? Open(record: record, waiting: [:])
                if open.waiting.isEmpty { open.waiting = waiting(entry, queues: state.queues) }
                guard open.waiting[inbox.name] != nil else { continue }
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
                    offers.append(offer(event, record, to: inbox, attempt: attempt, marksStart: isSuspicious))
                }
            }
            let through = entries.last?.record.sequence ?? last
            if entries.isEmpty || through >= last { queue.caughtUp() }
            let wantsMore = queue.wantsRead()
            state.queues[inbox] = queue
            return wantsMore
        }
        if wantsMore { work.add(.now) { $0.deliveries.insert(inbox) } }
        hand(offers)
        for (record, outcome) in settled {
            if outcome == nil { context.reporter.dropped(record, "expired") }
            ended(record.sequence, size: record.size, inbox, outcome ?? .finished)
        }
    }

    /// Who has not finished with a message that no mailbox has: listeners that have still to read it, and those that
    /// are not on the bus.
    private func waiting(_ entry: InboundEntry, queues: [NamedInbox: ListenerQueue]) -> [String: Int] {
        var waiting: [String: Int] = [:]
        for name in entry.record.audience where entry.progress[name]?.isFinished != true {
            let own = queues.filter { $0.key.name == name }
            let behind = own.count { $0.value.isBehind && $0.value.cursor < entry.record.sequence }
            if behind > 0 || own.isEmpty { waiting[name] = max(1, behind) }
        }
        return waiting
    }

    /// A stored message with the mailboxes that it is for now.
    func arrival(_ record: InboundRecord) -> Arrival {
        let event = RecordCodec.event(record, link: link(of: record.broker), context: context)
        let inboxes = context.bus.namedInboxes().filter { record.audience.contains($0.name) }
        return Arrival(record: record, event: event, inboxes: inboxes)
    }

    private func link(of broker: String) -> String { links.withLock { $0[broker] ?? "" } }

    private func offer(
        _ event: Event,
        _ record: InboundRecord,
        to inbox: NamedInbox,
        attempt: Int,
        marksStart: Bool = false
    ) -> Offer {
        let ticket = DeliveryTicket(
            sequence: record.sequence,
            size: record.size,
            inbox: inbox,
            deliveries: self,
            marksStart: marksStart
        )
        return Offer(inbox: inbox, event: event, attempt: attempt, ticket: ticket)
    }

    private func hand(_ offers: [Offer]) {
        for offer in offers { offer.inbox.offer(offer.event, attempt: offer.attempt, tracker: offer.ticket) }
    }

    /// Messages were removed from the store although nobody was done with them.
    func forget(_ sequences: some Sequence<Int64>) {
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
        let (settled, record, wantsRead) = state.withLock { state -> (Settlement?, InboundRecord?, Bool) in
            var wantsRead = false
            if var queue = state.queues[inbox] {
                queue.ended(size: size)
                if case .removed = outcome { queue.isRemoved = true }
                wantsRead = queue.wantsRead()
                state.queues[inbox] = queue.isRemoved && !queue.isBehind && queue.outstanding == 0 ? nil : queue
            }
            guard var open = state.open[sequence] else { return (nil, nil, wantsRead) }
            open.running -= 1
            let left = (open.waiting[inbox.name] ?? 1) - 1
            open.waiting[inbox.name] = left > 0 ? left : nil
            // Whoever has still to read it makes a new entry then.
            state.open[sequence] = open.running == 0 || open.waiting.isEmpty ? nil : open
            let settlement: Settlement = open.waiting.isEmpty ? .all : left > 0 ? .nobody : .one
            return (settlement, open.record, wantsRead)
        }
        if let record, case .failed(let error, let attempts) = outcome {
            context.reporter.deadLetter(record, listener: inbox.name, error: error, attempts: attempts)
        }
        let now = clock.now
        work.add(wantsRead ? .now : .soon) { changes in
            if wantsRead { changes.deliveries.insert(inbox) }
            guard let settled, let record else { return }
            if case .failed(let error, let attempts) = outcome {
                changes.letters.append(
                    DeadLetter(record, listener: inbox.name, error: error, attempts: attempts, died: now)
                )
            }
            switch settled {
            case .all: changes.finished.append(.init(sequence: sequence, route: record.route, size: record.size))
            case .one:
                let progress = ListenerProgress(isFinished: true, attempts: 0)
                changes.progress.append(.init(sequence: sequence, listener: inbox.name, progress: progress))
            case .nobody: break
            }
        }
    }

    private enum Settlement {
        case all, one, nobody
    }

    /// Returns once a call that is about to begin is noted in the store.
    func noteStart(_ sequence: Int64, _ listener: String, attempt: Int) async {
        attemptFailed(sequence, listener, attempts: attempt)
        await work.committed()
    }
}

/// One message in one mailbox.
final class DeliveryTicket: DeliveryTracker {
    let sequence: Int64
    let size: Int
    let inbox: NamedInbox
    let deliveries: Deliveries
    let marksStart: Bool

    init(sequence: Int64, size: Int, inbox: NamedInbox, deliveries: Deliveries, marksStart: Bool) {
        self.sequence = sequence
        self.size = size
        self.inbox = inbox
        self.deliveries = deliveries
        self.marksStart = marksStart
    }

    func willRun(attempt: Int) async {
        await deliveries.noteStart(sequence, inbox.name, attempt: attempt)
    }

    func attemptFailed(_ attempt: Int, error: String) {
        deliveries.attemptFailed(sequence, inbox.name, attempts: attempt)
    }

    func ended(_ outcome: DeliveryOutcome) {
        deliveries.ended(sequence, size: size, inbox, outcome)
    }
}
