import AsyncEventBus
import DequeModule
import MessageStore
import Mosquitto

/// Decides which stored messages go to one broker, and when: in order per topic, a bounded number in flight, and at a
/// limited rate after the broker was unreachable. Pure.
///
/// While the broker keeps up, each message goes directly from its commit to the client. Otherwise it stays in the
/// store, which is read from a cursor. Meanwhile a new message may overtake stored ones if none of them is on its
/// topic.
struct OutboundQueue: Sendable {
    typealias Instant = ContinuousClock.Instant

    /// A message in flight, or about to be.
    struct Item: Sendable {
        let record: OutboundRecord
        let message: Message
        let receipt: TransportReceipt?
        /// The mark of a retained message that was just committed.
        var state: StateInFlight?
        var attempts = 0
    }

    /// A topic whose first message was refused and is to be tried again: the other ones wait behind it.
    private struct Blocked {
        var items: Deque<Item>
        var retryAt: Instant
        /// The first message, while it is in flight again.
        var trying: Int64?
        /// Whether the first message has ended, so that the other ones may follow.
        var isReleased = false
    }

    /// The maximum size of the payloads in flight, in bytes; a single message may be larger.
    static let byteLimit = 16 * 1024 * 1024
    /// The maximum number of topics that are tracked as behind. With more, all topics count as behind.
    static let topicLimit = 65_536
    /// The number of slices per second in which a backlog is published.
    private static let slicesPerSecond = 20

    /// The rate for the backlog, in messages per second; nil for no limit.
    let rate: Int?
    private(set) var cursor: StoreCursor
    private(set) var isConnected = false
    /// The topics of messages that are only in the store.
    private var topicsBehind: Set<ExactText>
    private var areAllBehind: Bool
    /// The sequence of the last retained message of each topic that is only in the store, until the cursor has passed
    /// it.
    private var statesBehind: [ExactText: Int64] = [:]
    /// Messages that overtook stored ones: to be skipped when the cursor reaches them.
    private var ahead: Set<Int64> = []
    private var inFlight: Set<Int64> = []
    /// The messages in flight that were removed from the store meanwhile.
    private var evictedInFlight: Set<Int64> = []
    /// The last sequence that is published at the rate: the last one stored before the connection was made.
    private var drainMark: Int64 = 0
    /// When the next slice is due.
    private var nextSlice: Instant?
    private var blocked: [ExactText: Blocked] = [:]

    /// - Parameter topics: The topics of the stored messages; nil if there are too many.
    init(limit: Int, rate: Int?, isBehind: Bool, topics: Set<ExactText>?) {
        self.rate = rate
        let capacity = rate.map { min(limit, max(1, $0)) } ?? limit
        cursor = StoreCursor(capacity: capacity, byteLimit: Self.byteLimit, isBehind: isBehind)
        topicsBehind = topics ?? []
        areAllBehind = topics == nil
        for topic in topicsBehind { statesBehind[topic] = .max }
    }

    /// Whether the store holds a retained message for a topic that the client does not have yet.
    func holdsState(_ topic: ExactText) -> Bool {
        cursor.isBehind && (areAllBehind || statesBehind[topic].map { $0 > cursor.sequence } ?? false)
    }

    mutating func connected(lastSequence: Int64) {
        isConnected = true
        drainMark = lastSequence
        nextSlice = nil
        cursor.readBegan()
    }

    mutating func disconnected() { isConnected = false }

    /// A message was committed. Returns it if it is to be published now.
    mutating func arrived(_ item: Item) -> Item? {
        let topic = ExactText(item.record.topic)
        if cursor.isBehind {
            guard isConnected, cursor.hasRoom, !areAllBehind, !topicsBehind.contains(topic) else {
                wait(topic, item)
                return nil
            }
            ahead.insert(item.record.sequence)
        } else if !isConnected || !cursor.hasRoom {
            cursor.fallBehind(at: item.record.sequence)
            wait(topic, item)
            return nil
        }
        return begin(item)
    }

    /// Whether the client has a message, or it waits here behind another one of its topic.
    func isInFlight(_ sequence: Int64) -> Bool { inFlight.contains(sequence) }

    private mutating func wait(_ topic: ExactText, _ item: Item) {
        guard !areAllBehind else { return }
        if item.record.isRetained { statesBehind[topic] = item.record.sequence }
        topicsBehind.insert(topic)
        guard topicsBehind.count > Self.topicLimit else { return }
        topicsBehind = []
        statesBehind = [:]
        areAllBehind = true
    }

    private mutating func begin(_ item: Item) -> Item? {
        inFlight.insert(item.record.sequence)
        cursor.began(size: item.message.payload.count)
        guard blocked[ExactText(item.record.topic)] == nil else {
            blocked[ExactText(item.record.topic)]?.items.append(item)
            return nil
        }
        return item
    }

    // MARK: Reading

    /// Whether to read the store now. Returns true once for each read.
    mutating func wantsRead() -> Bool { isConnected && cursor.wantsRead() }

    /// The number of messages to read now, and the delay after which to call again.
    mutating func readBegan(at now: Instant) -> (count: Int, later: Duration?) {
        cursor.readBegan()
        guard cursor.isBehind, isConnected, cursor.hasRoom else { return (0, nil) }
        let room = min(256, cursor.room)
        guard let rate, cursor.sequence < drainMark else { return (room, nil) }
        if let nextSlice, now < nextSlice {
            // Until then further reads would return nothing.
            cursor.readIsDue()
            return (0, now.duration(to: nextSlice))
        }
        let slice = max(1, rate / Self.slicesPerSecond)
        let count = min(room, slice)
        // The pause is 20/19 of the slice's share of a second. So any second, wherever it begins, contains at most 20
        // slices.
        let span = Int64(count) * 1_000_000_000 / Int64(rate)
        nextSlice = now + .nanoseconds(span * Int64(Self.slicesPerSecond) / Int64(Self.slicesPerSecond - 1))
        cursor.readIsDue()
        return (count, nextSlice.map { now.duration(to: $0) })
    }

    /// A message was read from the store. Returns it if it is to be published now.
    mutating func read(_ item: Item) -> Item? {
        cursor.advance(through: item.record.sequence)
        guard !ahead.contains(item.record.sequence) else { return nil }
        return begin(item)
    }

    /// An expired message was read from the store. Returns false if it is in flight.
    mutating func skipped(_ sequence: Int64) -> Bool {
        cursor.advance(through: sequence)
        return !inFlight.contains(sequence)
    }

    /// The store was read to its end.
    mutating func caughtUp() {
        cursor.caughtUp()
        topicsBehind = []
        statesBehind = [:]
        areAllBehind = false
        ahead = []
    }

    /// Messages have left the store.
    mutating func removed(_ sequences: some Sequence<Int64>) {
        guard !ahead.isEmpty else { return }
        ahead.subtract(sequences)
    }

    /// Unpublished messages were removed from the store.
    mutating func evicted(_ sequences: [Int64]) {
        evictedInFlight.formUnion(inFlight.intersection(sequences))
        removed(sequences)
    }

    // MARK: Answers

    /// A message has ended: published, given up, or left to the next process. Returns whether it was removed from the
    /// store before, and whether messages that waited behind it are due now.
    mutating func ended(_ item: Item) -> (wasEvicted: Bool, hasReleased: Bool) {
        if inFlight.remove(item.record.sequence) != nil { cursor.ended(size: item.message.payload.count) }
        let topic = ExactText(item.record.topic)
        let wasEvicted = evictedInFlight.remove(item.record.sequence) != nil
        guard let waiting = blocked[topic], waiting.trying == item.record.sequence else { return (wasEvicted, false) }
        blocked[topic]?.isReleased = true
        if waiting.items.isEmpty { blocked[topic] = nil }
        return (wasEvicted, !waiting.items.isEmpty)
    }

    /// A message was refused and is to be tried again later.
    mutating func refused(_ item: Item, retryAt: Instant) {
        let topic = ExactText(item.record.topic)
        guard var waiting = blocked[topic] else {
            blocked[topic] = Blocked(items: [item], retryAt: retryAt)
            return
        }
        // Another message of the topic, in flight together with the first one, was refused as well: it is inserted in
        // order.
        let place = waiting.items.firstIndex { $0.record.sequence > item.record.sequence } ?? waiting.items.endIndex
        waiting.items.insert(item, at: place)
        waiting.retryAt = max(waiting.retryAt, retryAt)
        waiting.trying = nil
        waiting.isReleased = false
        blocked[topic] = waiting
    }

    /// The messages to publish now: the first message of each topic whose retry is due, and all messages of released
    /// topics.
    mutating func due(at now: Instant) -> [Item] {
        guard isConnected else { return [] }
        var due: [Item] = []
        for (topic, waiting) in blocked where waiting.isReleased {
            due += waiting.items
            blocked[topic] = nil
        }
        for (topic, waiting) in blocked where waiting.trying == nil && waiting.retryAt <= now {
            guard let first = blocked[topic]?.items.popFirst() else { continue }
            blocked[topic]?.trying = first.record.sequence
            due.append(first)
        }
        return due
    }

    /// When the next retry is due; nil without a connection.
    var nextRetry: Instant? {
        isConnected ? blocked.values.filter { $0.trying == nil }.map(\.retryAt).min() : nil
    }

    /// The messages that wait behind another one of their topic, or for a retry.
    var held: [Item] { blocked.values.flatMap(\.items) }
}
