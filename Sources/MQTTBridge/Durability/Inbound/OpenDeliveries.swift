import AsyncEventBus
import MessageStore

/// Tracks which mailboxes have which stored messages. Pure.
struct OpenDeliveries: Sendable {
    var queues: [DurableMailbox: ListenerQueue] = [:]
    /// The messages that at least one mailbox has.
    var open: [Int64: OpenMessage] = [:]
    /// The names of listeners for which the store may hold messages that no mailbox had yet; nil if unknown.
    var absent: Set<String>?
    /// Deliveries with a start mark in the store, and the progress to store when they have not crashed the process.
    var startMarks: [Mark: ListenerProgress] = [:]

    /// A message and a listener.
    struct Mark: Hashable, Sendable {
        let sequence: Int64
        let listener: String
    }

    init(absent: Set<String>?) {
        self.absent = absent
    }

    private func mayHaveLeft(_ name: String) -> Bool { absent?.contains(name) ?? true }

    // MARK: Listeners on the bus

    /// These mailboxes are on the bus. Returns the new ones to read stored messages for.
    mutating func joined(_ mailboxes: [DurableMailbox]) -> [DurableMailbox] {
        guard absent?.isEmpty != true else { return [] }
        return mailboxes.filter { mailbox in
            guard queues[mailbox] == nil, mayHaveLeft(mailbox.name) else { return false }
            var queue = ListenerQueue(capacity: mailbox.capacity, isBehind: true)
            defer { queues[mailbox] = queue }
            return queue.wantsRead()
        }
    }

    /// These mailboxes have left the bus. Returns the ones whose stored messages must be read to finish them.
    mutating func left(_ mailboxes: [DurableMailbox]) -> [DurableMailbox] {
        mailboxes.filter { mailbox in
            guard let position = queues.index(forKey: mailbox) else { return false }
            queues.values[position].isRemoved = true
            let wantsRead = queues.values[position].wantsRead()
            if queues.values[position].isOver { queues.remove(at: position) }
            return wantsRead
        }
    }

    // MARK: Calls that may crash the process

    /// The progress without the start mark of this process.
    func progressBefore(_ entry: InboundEntry, _ listener: String) -> ListenerProgress {
        startMarks[Mark(sequence: entry.record.sequence, listener: listener)] ?? entry.progress[listener]
            ?? ListenerProgress(isFinished: false, attempts: 0)
    }

    /// Adds a start mark. Returns the progress to store.
    mutating func mark(_ sequence: Int64, _ listener: String, after before: ListenerProgress) -> StoreBatch.Progress {
        startMarks[Mark(sequence: sequence, listener: listener)] = before
        var progress = before
        progress.interruptions += 1
        return .init(sequence: sequence, listener: listener, progress: progress)
    }

    /// The marked delivery has ended.
    mutating func unmark(_ sequence: Int64, _ listener: String) {
        guard !startMarks.isEmpty else { return }
        startMarks[Mark(sequence: sequence, listener: listener)] = nil
    }

    // MARK: Messages

    /// A message for a mailbox was committed. Returns whether to deliver it, and whether to read the store for the
    /// mailbox.
    mutating func arrived(_ sequence: Int64, size: Int, for mailbox: DurableMailbox) -> (
        isDelivered: Bool, wantsRead: Bool
    ) {
        guard let position = queues.index(forKey: mailbox) else {
            var queue = ListenerQueue(capacity: mailbox.capacity, isBehind: mayHaveLeft(mailbox.name))
            defer { queues[mailbox] = queue }
            return (queue.arrived(sequence, size: size), queue.wantsRead())
        }
        return (queues.values[position].arrived(sequence, size: size), queues.values[position].wantsRead())
    }

    /// A mailbox has finished a message, or no longer has it. Returns whether to read the store for it.
    mutating func queueEnded(_ mailbox: DurableMailbox, size: Int, isRemoved: Bool) -> Bool {
        guard let position = queues.index(forKey: mailbox) else { return false }
        queues.values[position].ended(size: size)
        if isRemoved { queues.values[position].isRemoved = true }
        let wantsRead = queues.values[position].wantsRead()
        if queues.values[position].isOver { queues.remove(at: position) }
        return wantsRead
    }

    /// A delivery was withdrawn: its listener has not finished, and the message stays in the store.
    mutating func withdrawn(_ sequence: Int64, size: Int, _ mailbox: DurableMailbox) {
        queues[mailbox]?.ended(size: size)
        guard let position = open.index(forKey: sequence) else { return }
        open.values[position].running -= 1
        if open.values[position].running == 0 { open.remove(at: position) }
    }

    typealias Ending = (settlement: OpenMessage.Settlement, record: InboundRecord)

    /// A listener has finished a message. Returns nil if the message is no longer in the store.
    mutating func ended(_ sequence: Int64, _ name: String) -> Ending? {
        guard let position = open.index(forKey: sequence) else { return nil }
        open.values[position].running -= 1
        let settlement = open.values[position].waiting.ended(name)
        if case .all = settlement { return (settlement, open.remove(at: position).value.record) }
        let record = open.values[position].record
        // Listeners that have yet to read the message add a new entry then.
        if open.values[position].running == 0 { open.remove(at: position) }
        return (settlement, record)
    }
}
