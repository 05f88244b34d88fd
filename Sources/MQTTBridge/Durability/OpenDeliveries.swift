import AsyncEventBus
import MessageStore

/// Which mailboxes have which messages. Pure.
struct OpenDeliveries: Sendable {
    var queues: [NamedInbox: ListenerQueue] = [:]
    /// Messages that some mailbox has.
    var open: [Int64: OpenMessage] = [:]
    /// Whether the store may hold messages for listeners that are not on the bus yet.
    var hasLegacy: Bool

    init(hasLegacy: Bool) {
        self.hasLegacy = hasLegacy
    }

    /// A message for a mailbox was committed. Returns whether to hand it over, and whether the store is to be read.
    mutating func arrived(_ sequence: Int64, size: Int, for inbox: NamedInbox) -> (isHanded: Bool, wantsRead: Bool) {
        guard let position = queues.index(forKey: inbox) else {
            var queue = ListenerQueue(capacity: inbox.capacity, isBehind: hasLegacy)
            defer { queues[inbox] = queue }
            return (queue.arrived(sequence, size: size), queue.wantsRead())
        }
        return (queues.values[position].arrived(sequence, size: size), queues.values[position].wantsRead())
    }

    /// A mailbox has one message less. Returns whether the store is to be read for it.
    mutating func queueEnded(_ inbox: NamedInbox, size: Int, isRemoved: Bool) -> Bool {
        guard let position = queues.index(forKey: inbox) else { return false }
        queues.values[position].ended(size: size)
        if isRemoved { queues.values[position].isRemoved = true }
        let wantsRead = queues.values[position].wantsRead()
        if queues.values[position].isOver { queues.remove(at: position) }
        return wantsRead
    }

    /// A call has ended. Returns nil when the message is no longer in the store.
    mutating func ended(
        _ sequence: Int64,
        _ name: String
    ) -> (settlement: OpenMessage.Settlement, record: InboundRecord)? {
        guard let position = open.index(forKey: sequence) else { return nil }
        open.values[position].running -= 1
        let settlement = open.values[position].waiting.ended(name)
        if case .all = settlement { return (settlement, open.remove(at: position).value.record) }
        let record = open.values[position].record
        // Whoever has still to read it makes a new entry then.
        if open.values[position].running == 0 { open.remove(at: position) }
        return (settlement, record)
    }
}
