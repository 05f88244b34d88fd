import AsyncEventBus
import DequeModule

/// A set of recent keys, bounded in number and in time. Pure.
///
/// Stores hashes with the seed of this process, so that no client can provoke collisions. With 64 bits and tens of
/// thousands of entries a new key collides with a probability of about 10⁻¹⁴.
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

    /// Forgets a key and its entry in the order, so that it counts as newest when it is inserted again. Returns whether
    /// it was known.
    @discardableResult
    mutating func remove(_ key: some Hashable) -> Bool {
        let hash = key.hashValue
        guard known.remove(hash) != nil else { return false }
        // Searches from the end, since removed keys are usually recent.
        if let place = order.lastIndex(where: { $0.hash == hash }) { order.remove(at: place) }
        return true
    }

    private mutating func removeOldest() {
        if let oldest = order.popFirst() { known.remove(oldest.hash) }
    }
}

/// Recognises echoes of our own publishes by topic and payload. Pure.
///
/// For MQTT 3.1.1, which has neither No Local nor properties. Each publish comes back once. An equal message of another
/// client is indistinguishable, so echoes are counted: of two equal messages one is ours. A queued publish expects its
/// echo for as long as it is queued; the span begins when the broker has taken it.
struct EchoWindow {
    typealias Instant = ContinuousClock.Instant

    /// A topic and a payload as a hash with the seed of this process.
    struct Key: Hashable {
        let hash: Int

        init(topic: String, payload: [UInt8]) {
            var hasher = Hasher()
            hasher.combine(ExactText(topic))
            payload.withUnsafeBytes { hasher.combine(bytes: $0) }
            hash = hasher.finalize()
        }
    }

    private struct Expected {
        /// The number of publishes that the client has and the broker has not taken.
        var waiting = 0
        /// The number of waiting publishes whose echo came already: a broker may send the echo before the
        /// acknowledgement.
        var answered = 0
        /// When the broker took each publish whose echo has not come.
        var taken = Deque<Instant>()
    }

    let capacity: Int
    /// How long an echo is expected after the broker has taken the publish.
    let span: Duration
    private var expected: [Key: Expected] = [:]
    /// The publishes that the broker took recently, including those whose echo has come.
    private var order = Deque<(key: Key, at: Instant)>()

    init(capacity: Int = 65_536, span: Duration = .seconds(10)) {
        self.capacity = capacity
        self.span = span
    }

    /// The number of different topics and payloads that are expected.
    var count: Int { expected.count }

    /// To be called before the client gets the publish.
    mutating func willPublish(_ key: Key) { expected[key, default: Expected()].waiting += 1 }

    /// The broker has taken the publish, or will never get it.
    mutating func didPublish(_ key: Key, isTaken: Bool, at now: Instant) {
        expire(now)
        guard var entry = expected[key], entry.waiting > 0 else { return }
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

    /// Returns whether a received message is an echo, which is then no longer expected.
    mutating func received(_ key: Key, at now: Instant) -> Bool {
        expire(now)
        guard var entry = expected[key] else { return false }
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
        guard let oldest = order.popFirst(), var entry = expected[oldest.key] else { return }
        // The echo has come, if the first remaining time is later.
        guard let first = entry.taken.first, first <= oldest.at else { return }
        entry.taken.removeFirst()
        store(entry, oldest.key)
    }

    private mutating func store(_ entry: Expected, _ key: Key) {
        expected[key] = entry.waiting == 0 && entry.taken.isEmpty ? nil : entry
    }
}

/// A circuit breaker for messages without an identity that circulate between brokers: the last resort. Pure.
///
/// Detects two patterns, since a round trip may take a microsecond or a second. Content that alternates between two
/// source brokers bounces between two bridges; this is counted at any speed within ``turnSpan``. Content that is
/// forwarded to one broker repeatedly may be a sensor with a constant value; it counts as a loop of three or more
/// bridges only above ``limit``. Content that matches a pattern is not forwarded for a while; all other content is.
struct StormBreaker {
    typealias Instant = ContinuousClock.Instant

    /// What to do with a message.
    enum Verdict: Hashable {
        case pass
        /// A limit is reached: the content is blocked from now on.
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

    /// The window in which ``limit`` applies.
    static let window: Duration = .seconds(1)
    /// The longest time between two turns of one loop.
    static let turnSpan: Duration = .seconds(30)
    /// How long content is blocked; extended while it still comes from both brokers.
    static let pause: Duration = .seconds(10)

    /// The number of times per second that the same content may be forwarded to one broker.
    let limit: Int
    /// The number of times that the same content may come from another broker than the time before, each within
    /// ``turnSpan``.
    let turnLimit: Int
    private var turns = Generations<Int, Turns>()
    private var rates = Generations<Path, Rate>()

    init(limit: Int, turnLimit: Int) {
        self.limit = limit
        self.turnLimit = turnLimit
    }

    /// - Parameter countsRate: False if the message has an identity that distinguishes it from others with the same
    ///   content.
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
                // While it still comes from both brokers, copies that were forwarded earlier are in flight.
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

/// A bounded dictionary that forgets the entries that were not set recently, a whole generation at a time.
struct Generations<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    private let capacity: Int
    private var current: [Key: Value] = [:]
    private var previous: [Key: Value] = [:]

    /// - Parameter capacity: The minimum number of most recent entries that are kept; the maximum is twice as many.
    init(capacity: Int = 16_384) {
        self.capacity = capacity
    }

    subscript(key: Key) -> Value? {
        get { current[key] ?? previous[key] }
        set {
            guard let newValue else {
                current[key] = nil
                previous[key] = nil
                return
            }
            if current.count >= capacity, current[key] == nil {
                previous = current
                current = [:]
            }
            current[key] = newValue
        }
    }
}
