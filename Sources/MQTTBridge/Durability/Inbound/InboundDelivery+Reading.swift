import AsyncEventBus
import Locking
import MessageStore

/// Delivers messages that are read from the store: those of earlier processes, and those that listeners are behind
/// with. Called under the store writer's lock.
extension InboundDelivery {
    /// Reads stored messages for listeners with room.
    ///
    /// - Parameter last: The highest committed sequence.
    func readOn(_ mailboxes: Set<DurableMailbox>, upTo last: Int64) throws(StoreError) {
        finishDispatch()
        guard !isStopped else { return }
        var lookup = ListenerLookup(context.bus)
        for mailbox in mailboxes.sorted(by: { $0.name < $1.name }) {
            let (cursor, room) = state.withLock { state -> (Int64, Int) in
                state.queues[mailbox]?.readBegan()
                guard let queue = state.queues[mailbox], queue.isBehind else { return (0, 0) }
                return (queue.cursor.sequence, queue.isRemoved ? Self.page : queue.cursor.room)
            }
            guard room > 0 else { continue }
            let limit = min(Self.page, room)
            let entries = try store.inbound(after: cursor, limit: limit, bytes: ListenerQueue.byteLimit)
            accept(entries, for: mailbox, upTo: last, &lookup)
        }
    }

    private func accept(
        _ page: [InboundEntry],
        for mailbox: DurableMailbox,
        upTo last: Int64,
        _ lookup: inout ListenerLookup
    ) {
        let now = clock.now
        // Before the lock is taken, since the bus has a lock of its own.
        let heard = page.map { lookup.mailboxes(of: $0.record.event) }
        var offers = Offers(mailbox: mailbox)
        var settled: [(InboundRecord, DeliveryOutcome?)] = []
        var starts: [StoreBatch.Progress] = []
        let wantsMore = state.withLock { state -> Bool in
            guard var queue = state.queues[mailbox] else { return false }
            defer { state.queues[mailbox] = queue }
            let count = page.indices.prefix { position in
                !(isFor(mailbox, page[position], heard[position], queue)
                    && needsStartMark(page[position], mailbox, queue))
            }.count
            if count == 0, let end = page.last?.record.sequence {
                // The page is read again once its start marks are committed.
                for (entry, mailboxes) in zip(page, heard)
                where isFor(mailbox, entry, mailboxes, queue) && needsStartMark(entry, mailbox, queue) {
                    let before = state.progressBefore(entry, mailbox.name)
                    starts.append(state.mark(entry.record.sequence, mailbox.name, after: before))
                }
                queue.marked(through: end)
                return true
            }
            for (entry, mailboxes) in zip(page.prefix(count), heard) {
                let record = entry.record
                queue.read(through: record.sequence)
                guard isFor(mailbox, entry, mailboxes, queue) else { continue }
                var open =
                    state.open[record.sequence]
                    ?? OpenMessage(record: record, waiting: waiting(entry, mailboxes, state.queues))
                guard open.waiting.contains(mailbox.name) else { continue }
                open.running += 1
                state.open[record.sequence] = open
                queue.delivered(size: record.size)
                let before = state.progressBefore(entry, mailbox.name)
                if queue.isRemoved {
                    settled.append((record, .removed))
                } else if let expires = record.expires, expires <= now {
                    settled.append((record, nil))
                } else if before.interruptions >= Self.crashLimit {
                    let error = "the process ended each time while the listener ran"
                    settled.append((record, .failed(error: error, attempts: before.interruptions)))
                } else {
                    let past = DeliveryTicket.Past(entry, before)
                    let event = RecordCodec.event(record, link: link(of: record.broker), context: context)
                    let ticket = ticket(record.sequence, record.size, mailbox, past: past)
                    offers.offers.append((event, before.attempts + 1 + ticket.uncounted, ticket))
                }
            }
            let through = page.prefix(count).last?.record.sequence ?? last
            if page.isEmpty || through >= last { queue.caughtUp() }
            return queue.wantsRead()
        }
        if wantsMore {
            pending.add(.now) { changes in
                changes.progress += starts
                changes.reads.inbound.insert(mailbox)
            }
        }
        mailbox.offer(contentsOf: offers.offers)
        if isStopped { mailbox.withdraw(from: self) }
        for (record, outcome) in settled {
            if outcome == nil { context.reporter.dropped(record, "expired") }
            ended(record.sequence, size: record.size, mailbox, outcome ?? .finished)
        }
    }

    /// Whether a message waits for this mailbox: the listener's name is in the unfinished listeners of the message, and
    /// one of its patterns matches. A mailbox that has left the bus finishes the messages that no other mailbox of its
    /// name receives.
    private func isFor(
        _ mailbox: DurableMailbox,
        _ entry: InboundEntry,
        _ mailboxes: [DurableMailbox],
        _ queue: ListenerQueue
    ) -> Bool {
        guard entry.record.listeners.contains(mailbox.name), entry.progress[mailbox.name]?.isFinished != true else {
            return false
        }
        return queue.isRemoved ? !mailboxes.contains { $0.name == mailbox.name } : mailboxes.contains(mailbox)
    }

    /// Whether the start of a call must be in the store before the message is delivered: the call may crash the
    /// process, and it is unknown which message does. A whole page is marked in one commit, so that a backlog does not
    /// cost a commit for each call. After the next crash only the few interrupted calls are suspect, and each is marked
    /// by itself.
    private func needsStartMark(_ entry: InboundEntry, _ mailbox: DurableMailbox, _ queue: ListenerQueue) -> Bool {
        entry.recoveries >= Self.suspiciousRecoveries && entry.record.sequence > queue.markedThrough
            && !queue.isRemoved && (entry.progress[mailbox.name]?.interruptions ?? 0) == 0
    }

    /// The listeners that have not finished a message that no mailbox has: those that have yet to read it, and those
    /// that are not on the bus.
    private func waiting(
        _ entry: InboundEntry,
        _ mailboxes: [DurableMailbox],
        _ queues: [DurableMailbox: ListenerQueue]
    ) -> OpenMessage.Waiting {
        var waiting: [String: Int] = [:]
        for name in entry.record.listeners where entry.progress[name]?.isFinished != true {
            let own = mailboxes.filter { $0.name == name }
            let behind = own.count { mailbox in
                guard let queue = queues[mailbox] else { return true }
                return queue.isBehind && queue.cursor.sequence < entry.record.sequence
            }
            if behind > 0 || own.isEmpty { waiting[name] = max(1, behind) }
        }
        return OpenMessage.Waiting(waiting)
    }
}

/// Caches which mailboxes receive the events of a name. Short-lived, since listeners come and go.
struct ListenerLookup {
    private let bus: EventBus
    private var known: [String: [DurableMailbox]] = [:]

    init(_ bus: EventBus) {
        self.bus = bus
    }

    mutating func mailboxes(of event: String) -> [DurableMailbox] {
        if let mailboxes = known[event] { return mailboxes }
        let mailboxes = (try? EventName(event)).map { bus.durableMailboxes(hearing: $0) } ?? []
        known[event] = mailboxes
        return mailboxes
    }
}
