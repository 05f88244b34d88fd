import AsyncEventBus
import DequeModule

/// Remembers what was seen lately: bounded in number and in time. Pure.
///
/// Holds hashes with a seed of this process, so that nobody outside can make two keys collide; 64 bits over some ten
/// thousand entries are wrong once in a hundred million million.
struct SeenWindow {
    typealias Instant = ContinuousClock.Instant

    let capacity: Int
    let span: Duration
    private var known: Set<Int> = []
    private var order = Deque<(hash: Int, at: Instant)>()

    init(capacity: Int = 65_536, span: Duration = .seconds(600)) {
        self.capacity = capacity
        self.span = span
    }

    /// Remembers a key. Returns whether it was new.
    mutating func insert(_ key: some Hashable, at now: Instant) -> Bool {
        while let oldest = order.first, oldest.at + span < now { removeOldest() }
        let hash = key.hashValue
        guard known.insert(hash).inserted else { return false }
        order.append((hash, now))
        if order.count > capacity { removeOldest() }
        return true
    }

    /// Forgets a key.
    mutating func remove(_ key: some Hashable) { known.remove(key.hashValue) }

    private mutating func removeOldest() {
        if let oldest = order.popFirst() { known.remove(oldest.hash) }
    }
}

/// Knows what we published ourselves, where the broker sends it back and nothing in the message tells. Pure.
///
/// For MQTT 3.1.1, which has neither No Local nor properties. Each publish comes back once; an equal message of somebody
/// else is indistinguishable, so that counting is right: of two equal ones that come, one is ours. What waits to be
/// published is awaited as long as it waits; the span begins when the broker has it.
struct EchoWindow {
    typealias Instant = ContinuousClock.Instant

    /// A topic and a payload, as a hash with a seed of this process.
    struct Key: Hashable {
        let hash: Int

        init(topic: String, payload: [UInt8]) {
            var hasher = Hasher()
            hasher.combine(ExactText(topic))
            payload.withUnsafeBytes { hasher.combine(bytes: $0) }
            hash = hasher.finalize()
        }
    }

    private struct Awaited {
        /// Given to the client, not yet taken by the broker.
        var waiting = 0
        /// Of those, how many came back already: a broker may send the echo before the acknowledgement.
        var answered = 0
        /// When the broker took those that have not come back.
        var taken = Deque<Instant>()
    }

    let capacity: Int
    let span: Duration
    private var awaited: [Key: Awaited] = [:]
    /// All that the broker took lately, those that have come back included.
    private var order = Deque<(key: Key, at: Instant)>()

    init(capacity: Int = 65_536, span: Duration = .seconds(10)) {
        self.capacity = capacity
        self.span = span
    }

    /// How many different echoes are awaited.
    var count: Int { awaited.count }

    /// We give this to the client.
    mutating func willPublish(_ key: Key) { awaited[key, default: Awaited()].waiting += 1 }

    /// The broker took it, or will never get it.
    mutating func didPublish(_ key: Key, isTaken: Bool, at now: Instant) {
        expire(now)
        guard var entry = awaited[key], entry.waiting > 0 else { return }
        entry.waiting -= 1
        if entry.answered > 0 {
            entry.answered -= 1
        } else if isTaken {
            entry.taken.append(now)
            order.append((key, now))
        }
        store(entry, key)
        if order.count > capacity { forgetOldest() }
    }

    /// This came. Returns whether it is what we published.
    mutating func received(_ key: Key, at now: Instant) -> Bool {
        expire(now)
        guard var entry = awaited[key] else { return false }
        if entry.taken.popFirst() == nil {
            guard entry.answered < entry.waiting else { return false }
            entry.answered += 1
        }
        store(entry, key)
        return true
    }

    private mutating func expire(_ now: Instant) {
        while let oldest = order.first, oldest.at + span < now { forgetOldest() }
    }

    private mutating func forgetOldest() {
        guard let oldest = order.popFirst(), var entry = awaited[oldest.key] else { return }
        // One that came back has left already.
        guard let first = entry.taken.first, first <= oldest.at else { return }
        entry.taken.removeFirst()
        store(entry, oldest.key)
    }

    private mutating func store(_ entry: Awaited, _ key: Key) {
        awaited[key] = entry.waiting == 0 && entry.taken.isEmpty ? nil : entry
    }
}

/// Stops a message that goes round and round between brokers without an identity: the last resort. Pure.
///
/// Two signs, since a round may take a microsecond or a second. Content that comes from one broker and from another in
/// turns goes to and fro between two bridges; that is counted however slow it is. Content that is passed to one broker
/// again and again may be a sensor that does not change, and is a circle of three only if it is fast. Content that shows
/// a sign is no longer passed on, for a while; everything else is.
struct StormBreaker {
    typealias Instant = ContinuousClock.Instant

    /// What to do with a message.
    enum Verdict: Hashable {
        case pass
        /// A limit is reached now.
        case trips
        case blocked
    }

    private struct Path: Hashable {
        let content: Int
        let target: String
    }

    private struct Turns {
        var source: String
        var number = 0
        var last: Instant
        var openUntil: Instant?
    }

    private struct Rate {
        var since: Instant
        var number = 0
    }

    static let window: Duration = .seconds(1)
    static let turnSpan: Duration = .seconds(30)
    /// How long content is not passed on; longer if it goes on to come from both sides.
    static let pause: Duration = .seconds(10)

    /// How often a second the same content is passed to one broker.
    let limit: Int
    /// How often the same content comes from another broker than the time before, each within ``turnSpan``.
    let turnLimit: Int
    private var turns = Generations<Int, Turns>()
    private var rates = Generations<Path, Rate>()

    init(limit: Int, turnLimit: Int) {
        self.limit = limit
        self.turnLimit = turnLimit
    }

    /// - Parameter countsRate: False where the message can be told from others with the same content.
    mutating func passes(
        _ content: some Hashable,
        from source: String,
        to target: String,
        countsRate: Bool = true,
        at now: Instant
    ) -> Verdict {
        let content = content.hashValue
        var known = turns[content] ?? Turns(source: source, last: now)
        if let openUntil = known.openUntil {
            if now < openUntil {
                // As long as it still comes from both sides, copies are under way that were passed before.
                if known.source != source {
                    turns[content] = Turns(source: source, last: now, openUntil: now + Self.pause)
                }
                return .blocked
            }
            known = Turns(source: source, last: now)
        }
        if known.last + Self.turnSpan < now { known.number = 0 }
        if known.source != source { known.number += 1 }
        (known.source, known.last) = (source, now)
        let isFast = countsRate && exceedsRate(Path(content: content, target: target), at: now)
        let trips = isFast || known.number > turnLimit
        if trips { known.openUntil = now + Self.pause }
        turns[content] = known
        return trips ? .trips : .pass
    }

    private mutating func exceedsRate(_ path: Path, at now: Instant) -> Bool {
        var rate = rates[path] ?? Rate(since: now)
        if rate.since + Self.window < now { rate = Rate(since: now) }
        rate.number += 1
        rates[path] = rate.number > limit ? Rate(since: now) : rate
        return rate.number > limit
    }
}

/// A dictionary that forgets what was not set lately: bounded, without a look at every entry.
private struct Generations<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    private static var capacity: Int { 16_384 }

    private var current: [Key: Value] = [:]
    private var previous: [Key: Value] = [:]

    subscript(key: Key) -> Value? {
        get { current[key] ?? previous[key] }
        set {
            if current.count >= Self.capacity, current[key] == nil {
                previous = current
                current = [:]
            }
            current[key] = newValue
        }
    }
}
