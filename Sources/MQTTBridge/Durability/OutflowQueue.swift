import AsyncEventBus
import DequeModule
import MessageStore
import Mosquitto

/// What goes to one broker, and when: order per topic, a bounded number under way, a rate after an absence. Pure.
///
/// As long as the broker keeps up, each message goes straight from its commit to the client. Else it stays in the store
/// only, which is read on from a cursor. While that goes on, a new message may pass those that wait if none of them is on
/// its topic.
struct OutflowQueue: Sendable {
    typealias Instant = ContinuousClock.Instant

    /// One message under way, or about to be.
    struct Item: Sendable {
        let record: OutboundRecord
        let message: Message
        let receipt: Receipt?
        var attempts = 0
    }

    /// A topic whose first message was refused and is to be tried again: the others wait behind it.
    private struct Blocked {
        var items: Deque<Item>
        var retryAt: Instant
        /// The first one, while it is under way again.
        var trying: Int64?
        /// Whether the broker has taken the first one: the others follow.
        var isReleased = false
    }

    /// The most bytes of payload under way, but for a single message.
    static let byteLimit = 16 * 1024 * 1024
    /// The most topics that are known to wait. When there are more, all do.
    static let topicLimit = 65_536
    /// How often a second what waited is let out.
    private static let shares = 20

    let limit: Int
    let rate: Int?
    private(set) var cursor: Int64 = 0
    private(set) var isBehind: Bool
    private(set) var isConnected = false
    /// Topics of messages that are in the store only.
    private var topicsBehind: Set<ExactText>
    private var areAllBehind: Bool
    /// Messages that passed those that wait: to be skipped when the cursor comes there.
    private var ahead: Set<Int64> = []
    private var underWay: Set<Int64> = []
    /// Of those, the ones that have left the store meanwhile.
    private var evictedUnderWay: Set<Int64> = []
    private var bytes = 0
    /// What was stored until this sequence, before the connection was made, goes at the rate.
    private var drainMark: Int64 = 0
    private var nextShare: Instant?
    private var blocked: [ExactText: Blocked] = [:]
    private var isReadRequested = false

    /// - Parameter topics: Those of what is in the store; nil if they are too many.
    init(limit: Int, rate: Int?, isBehind: Bool, topics: Set<ExactText>?) {
        self.rate = rate
        self.limit = rate.map { min(limit, max(1, $0)) } ?? limit
        self.isBehind = isBehind
        topicsBehind = topics ?? []
        areAllBehind = topics == nil
    }

    var hasRoom: Bool { underWay.count < limit && (bytes < Self.byteLimit || underWay.isEmpty) }

    mutating func connected(lastSequence: Int64) {
        isConnected = true
        drainMark = lastSequence
        nextShare = nil
        isReadRequested = false
    }

    mutating func disconnected() { isConnected = false }

    /// A message was committed. Returns it if it is to be published now.
    mutating func arrived(_ item: Item) -> Item? {
        let topic = ExactText(item.record.topic)
        if isBehind {
            guard isConnected, hasRoom, !areAllBehind, !topicsBehind.contains(topic) else {
                wait(topic)
                return nil
            }
            ahead.insert(item.record.sequence)
        } else if !isConnected || !hasRoom {
            isBehind = true
            cursor = item.record.sequence - 1
            wait(topic)
            return nil
        }
        return begin(item)
    }

    private mutating func wait(_ topic: ExactText) {
        guard !areAllBehind else { return }
        topicsBehind.insert(topic)
        guard topicsBehind.count > Self.topicLimit else { return }
        topicsBehind = []
        areAllBehind = true
    }

    private mutating func begin(_ item: Item) -> Item? {
        underWay.insert(item.record.sequence)
        bytes += item.message.payload.count
        guard blocked[ExactText(item.record.topic)] == nil else {
            blocked[ExactText(item.record.topic)]?.items.append(item)
            return nil
        }
        return item
    }

    // MARK: Reading on

    /// Whether the store is to be read now; true once for each time.
    mutating func wantsRead() -> Bool {
        guard isBehind, isConnected, !isReadRequested, underWay.count <= limit / 2, bytes <= Self.byteLimit / 2 else {
            return false
        }
        isReadRequested = true
        return true
    }

    /// How many messages to read now; or when to ask again.
    mutating func readBegan(at now: Instant) -> (count: Int, later: Duration?) {
        isReadRequested = false
        guard isBehind, isConnected, hasRoom else { return (0, nil) }
        let room = min(256, limit - underWay.count)
        guard let rate, cursor < drainMark else { return (room, nil) }
        if let nextShare, now < nextShare {
            // Whoever asks earlier gets nothing either.
            isReadRequested = true
            return (0, now.duration(to: nextShare))
        }
        let share = max(1, rate / Self.shares)
        let count = min(room, share)
        // One share less than what goes into a second: any second from the first message of a share to the last of
        // another holds no more than the rate.
        let span = Int64(count) * 1_000_000_000 / Int64(rate)
        nextShare = now + .nanoseconds(span * Int64(Self.shares) / Int64(Self.shares - 1))
        isReadRequested = true
        return (count, nextShare.map { now.duration(to: $0) })
    }

    /// A message was read from the store. Returns it if it is to be published now.
    mutating func read(_ item: Item) -> Item? {
        cursor = max(cursor, item.record.sequence)
        guard !ahead.contains(item.record.sequence) else { return nil }
        return begin(item)
    }

    /// A message that is not worth sending any more was read from the store. Returns false if it is under way.
    mutating func skipped(_ sequence: Int64) -> Bool {
        cursor = max(cursor, sequence)
        return !underWay.contains(sequence)
    }

    /// The store was read to its end.
    mutating func caughtUp() {
        isBehind = false
        topicsBehind = []
        areAllBehind = false
        ahead = []
    }

    /// Messages have left the store.
    mutating func left(_ sequences: some Sequence<Int64>) {
        guard !ahead.isEmpty else { return }
        ahead.subtract(sequences)
    }

    /// Messages have left the store although nobody was done with them.
    mutating func evicted(_ sequences: [Int64]) {
        evictedUnderWay.formUnion(underWay.intersection(sequences))
        left(sequences)
    }

    // MARK: Answers

    /// A message is done with: taken, given up, or left to the next process. Returns whether it had left the store
    /// before, and whether others that waited for it are due now.
    mutating func ended(_ item: Item) -> (wasEvicted: Bool, hasReleased: Bool) {
        underWay.remove(item.record.sequence)
        bytes -= item.message.payload.count
        let topic = ExactText(item.record.topic)
        let wasEvicted = evictedUnderWay.remove(item.record.sequence) != nil
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
        // Another one of the topic, which was under way with the first, comes back as well: in its place.
        let place = waiting.items.firstIndex { $0.record.sequence > item.record.sequence } ?? waiting.items.endIndex
        waiting.items.insert(item, at: place)
        waiting.retryAt = max(waiting.retryAt, retryAt)
        waiting.trying = nil
        waiting.isReleased = false
        blocked[topic] = waiting
    }

    /// The first messages of topics whose time has come, and all of those whose first was taken.
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

    /// When the next one is due; nil without a connection.
    var nextRetry: Instant? {
        isConnected ? blocked.values.filter { $0.trying == nil }.map(\.retryAt).min() : nil
    }

    /// Those that wait for another one of their topic.
    var held: [Item] { blocked.values.flatMap(\.items) }
}
