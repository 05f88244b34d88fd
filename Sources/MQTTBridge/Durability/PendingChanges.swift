import AsyncEventBus
import MessageStore
import Mosquitto

/// An emit on its way into the store.
struct Departure: Sendable {
    var record: OutboundRecord
    /// What goes over the wire, so that it need not be read back.
    let message: Message
    let receipt: Receipt?
}

/// What is to be changed in the store, and read from it, when it is next opened: what piled up is one transaction. Pure.
struct PendingChanges: Sendable {
    /// A message that is done with.
    struct Done: Sendable, Hashable {
        let sequence: Int64
        let route: String
        let size: Int
    }

    /// The most emits that wait for the store.
    static let departureLimit = 10_000
    /// The most bytes of emits that wait for the store.
    static let departureBytes = 32 * 1024 * 1024

    private(set) var departures: [Departure] = []
    private var bytes = 0
    var finished: [Done] = []
    var published: [Done] = []
    var progress: [StoreBatch.Progress] = []
    var letters: [DeadLetter] = []
    var seen: [SeenIdentity] = []
    var evictions: [StoreEviction] = []
    /// Where the oldest are to make room. How many depends on what is there when the store is opened.
    var crowds: Set<StoreGauge.Crowd> = []
    /// Listeners that have room for what waits for them in the store.
    var deliveries: Set<NamedInbox> = []
    /// Brokers that have room for what waits for them in the store.
    var outflows: Set<String> = []
    /// Who waits until these changes are committed.
    var waiters: [CheckedContinuation<Void, Never>] = []

    /// Whether an emit of that size may still join.
    func hasRoom(for size: Int) -> Bool {
        departures.count < Self.departureLimit && (bytes + size <= Self.departureBytes || departures.isEmpty)
    }

    /// Whether those who waited to join may: it is half empty.
    func isHalfEmpty(for size: Int) -> Bool {
        departures.count <= Self.departureLimit / 2 && bytes <= Self.departureBytes / 2 && hasRoom(for: size)
    }

    mutating func add(_ departure: Departure) {
        departures.append(departure)
        bytes += departure.record.size
    }

    var isEmpty: Bool {
        departures.isEmpty && finished.isEmpty && published.isEmpty && progress.isEmpty && letters.isEmpty
            && seen.isEmpty && evictions.isEmpty && crowds.isEmpty && deliveries.isEmpty && outflows.isEmpty
            && waiters.isEmpty
    }

    /// All of it as one batch; emits get the sequences from `sequence` on.
    func batch(from sequence: inout Int64) -> (batch: StoreBatch, departures: [Departure]) {
        var batch = StoreBatch()
        var numbered = departures
        for position in numbered.indices {
            sequence += 1
            numbered[position].record.sequence = sequence
        }
        batch.departures = numbered.map(\.record)
        batch.finished = finished.map(\.sequence)
        batch.published = published.map(\.sequence)
        // Where the last listener has finished as well, the others need not be noted.
        if !progress.isEmpty {
            let done = Set(batch.finished)
            batch.progress = progress.filter { !done.contains($0.sequence) }
        }
        batch.letters = letters
        batch.seen = seen
        batch.evictions = evictions
        return (batch, numbered)
    }

    /// These left the store without being done with, and are no longer counted: that they are done with is no news.
    mutating func forget(_ sequences: Set<Int64>) {
        finished.removeAll { sequences.contains($0.sequence) }
        published.removeAll { sequences.contains($0.sequence) }
    }

    /// Puts back what could not be committed, before what has come since.
    mutating func putBack(_ earlier: PendingChanges) {
        var all = earlier
        all.departures += departures
        all.bytes += bytes
        all.finished += finished
        all.published += published
        all.progress += progress
        all.letters += letters
        all.seen += seen
        all.evictions += evictions
        all.crowds.formUnion(crowds)
        all.deliveries.formUnion(deliveries)
        all.outflows.formUnion(outflows)
        all.waiters += waiters
        self = all
    }
}
