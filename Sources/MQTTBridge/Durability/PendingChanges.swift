import AsyncEventBus
import MessageStore
import Mosquitto

/// An emit that waits to be stored.
struct PendingPublish: Sendable {
    var record: OutboundRecord
    /// The message to publish, so that it need not be read from the store.
    let message: Message
    let receipt: TransportReceipt?
    /// The mark of a retained message, until the client has it or ``OutboundQueue`` tracks it.
    var state: StateInFlight?
}

/// Changes to commit in the next transaction, and receivers to read for after it. Pure.
struct PendingChanges: Sendable {
    /// A finished message.
    struct Done: Sendable, Hashable {
        let sequence: Int64
        let route: String
        let size: Int
    }

    /// The receivers to read stored messages for.
    struct Reads: Sendable {
        /// Listeners with room for stored messages.
        var inbound: Set<DurableMailbox> = []
        /// Brokers with room for stored messages.
        var outbound: Set<String> = []

        var isEmpty: Bool { inbound.isEmpty && outbound.isEmpty }

        mutating func formUnion(_ other: Reads) {
            inbound.formUnion(other.inbound)
            outbound.formUnion(other.outbound)
        }
    }

    /// The maximum number of emits that wait to be stored.
    static let departureLimit = 10_000
    /// The maximum size of the emits that wait to be stored, in bytes; a single emit may be larger.
    static let departureBytes = 32 * 1024 * 1024

    private(set) var departures: [PendingPublish] = []
    /// The size of `departures`.
    private(set) var bytes = 0
    var finished: [Done] = []
    var published: [Done] = []
    var progress: [StoreBatch.Progress] = []
    private(set) var deadLetters: [DeadLetter] = []
    /// The messages that become dead letters, which are removed in the same commit.
    private var deadLettered: Set<Int64> = []
    var seen: [SeenIdentity] = []
    var evictions: [StoreEviction] = []
    /// The begin or the orderly end of the process.
    var life: StoreBatch.Life?
    /// Scopes in which the oldest messages make room. Their number is computed at the commit.
    var evictionScopes: Set<StoreGauge.EvictionScope> = []
    var reads = Reads()
    /// Tasks that wait for the commit of these changes.
    var waiters: [CheckedContinuation<Void, Never>] = []

    /// Whether there is room for an emit of this size.
    func hasRoom(for size: Int) -> Bool {
        departures.count < Self.departureLimit && (bytes + size <= Self.departureBytes || departures.isEmpty)
    }

    /// Whether emits that waited for room may be tried again: half of the room is free.
    func isHalfEmpty(for size: Int) -> Bool {
        departures.count <= Self.departureLimit / 2 && bytes <= Self.departureBytes / 2 && hasRoom(for: size)
    }

    mutating func add(_ departure: PendingPublish) {
        departures.append(departure)
        bytes += departure.record.size
    }

    /// Turns a message into a dead letter. Its removal goes into the same commit.
    mutating func addDeadLetter(_ letter: DeadLetter, for sequence: Int64) {
        deadLetters.append(letter)
        deadLettered.insert(sequence)
    }

    var isEmpty: Bool {
        departures.isEmpty && finished.isEmpty && published.isEmpty && progress.isEmpty && deadLetters.isEmpty
            && seen.isEmpty && evictions.isEmpty && evictionScopes.isEmpty && life == nil && reads.isEmpty
            && waiters.isEmpty
    }

    /// All changes as one batch. Numbers the emits from `sequence` + 1, and advances `sequence`.
    func batch(from sequence: inout Int64) -> (batch: StoreBatch, departures: [PendingPublish]) {
        var batch = StoreBatch()
        var numbered = departures
        for position in numbered.indices {
            sequence += 1
            numbered[position].record.sequence = sequence
        }
        batch.departures = numbered.map(\.record)
        batch.finished = finished.map(\.sequence)
        batch.published = published.map(\.sequence)
        // Progress of a finished message need not be stored.
        if !progress.isEmpty {
            let done = Set(batch.finished)
            batch.progress = progress.filter { !done.contains($0.sequence) }
        }
        batch.deadLetters = deadLetters
        batch.seen = seen
        batch.evictions = evictions
        batch.life = life
        return (batch, numbered)
    }

    /// Forgets that messages are finished: they have left the store already, and are no longer counted.
    mutating func forget(_ sequences: Set<Int64>) {
        finished.removeAll { sequences.contains($0.sequence) }
        published.removeAll { sequences.contains($0.sequence) }
    }

    func isDeadLetter(_ sequence: Int64) -> Bool { deadLettered.contains(sequence) }

    mutating func clearAllButDeadLetters() {
        var all = PendingChanges()
        (all.deadLetters, all.deadLettered) = (deadLetters, deadLettered)
        (all.finished, all.published, all.progress) = (finished, published, progress)
        self = all
    }

    mutating func clearDeadLetters() {
        (deadLetters, deadLettered) = ([], [])
        (finished, published, progress) = ([], [], [])
    }

    mutating func replaceDepartures(by other: PendingChanges) {
        (departures, bytes) = (other.departures, other.bytes)
    }

    /// Puts uncommitted changes back, before the changes that were added since.
    mutating func putBack(_ earlier: PendingChanges) {
        var all = earlier
        all.departures += departures
        all.bytes += bytes
        all.finished += finished
        all.published += published
        all.progress += progress
        all.deadLetters += deadLetters
        all.deadLettered.formUnion(deadLettered)
        all.seen += seen
        all.evictions += evictions
        all.life = life ?? all.life
        all.evictionScopes.formUnion(evictionScopes)
        all.reads.formUnion(reads)
        all.waiters += waiters
        self = all
    }
}
