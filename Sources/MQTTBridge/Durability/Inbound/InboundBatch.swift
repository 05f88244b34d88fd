import AsyncEventBus
import MessageStore

/// Messages that were received together, to be stored and then delivered to listeners.
struct InboundBatch: Sendable {
    /// The event and the mailboxes of the record at the same position.
    struct Target: Sendable {
        let event: Event
        let mailboxes: [DurableMailbox]
    }

    private(set) var records: [InboundRecord] = []
    private(set) var targets: [Target] = []
    /// The messages as counted by ``StoreGauge``.
    private(set) var runs: [StoreGauge.Run] = []

    /// The size of the messages as counted by the limits, in bytes.
    var size: Int { runs.reduce(0) { $0 + $1.bytes } }
    var isEmpty: Bool { records.isEmpty }
    var count: Int { records.count }

    mutating func append(_ record: InboundRecord, _ event: Event, _ mailboxes: [DurableMailbox]) {
        runs.add(record.route, bytes: record.size)
        targets.append(Target(event: event, mailboxes: mailboxes))
        records.append(record)
    }

    /// Numbers the messages in order from `sequence` + 1, and advances `sequence`.
    mutating func number(from sequence: inout Int64) {
        for position in records.indices {
            sequence += 1
            records[position].sequence = sequence
        }
    }

    /// Removes the messages at some positions, which must be ascending.
    mutating func remove(at places: [Int]) {
        guard !places.isEmpty else { return }
        for place in places.reversed() {
            records.remove(at: place)
            targets.remove(at: place)
        }
        runs = []
        for record in records { runs.add(record.route, bytes: record.size) }
    }
}
