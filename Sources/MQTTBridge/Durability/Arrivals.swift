import AsyncEventBus
import MessageStore

/// Messages that were read together, on their way into the store and from there to listeners.
struct Arrivals: Sendable {
    /// What is handed to listeners for the record at the same place.
    struct Target: Sendable {
        let event: Event
        let inboxes: [NamedInbox]
    }

    private(set) var records: [InboundRecord] = []
    private(set) var targets: [Target] = []
    /// What the messages count for, those of one route that follow one another together.
    private(set) var runs: [StoreGauge.Run] = []

    /// What the messages count towards limits in bytes.
    var size: Int { runs.reduce(0) { $0 + $1.bytes } }
    var isEmpty: Bool { records.isEmpty }
    var count: Int { records.count }

    mutating func append(_ record: InboundRecord, _ event: Event, _ inboxes: [NamedInbox]) {
        runs.add(record.route, bytes: record.size)
        targets.append(Target(event: event, inboxes: inboxes))
        records.append(record)
    }

    /// Gives the messages the next sequences, in their order.
    mutating func number(from sequence: inout Int64) {
        for position in records.indices {
            sequence += 1
            records[position].sequence = sequence
        }
    }

    /// Leaves out those at some places, which are ascending.
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
