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
/// Counts how often the same content is passed from one broker to another within a second. Above the limit that content
/// is no longer passed on, for a while; everything else is.
struct StormBreaker {
    typealias Instant = ContinuousClock.Instant

    private struct Count {
        var since: Instant
        var number = 0
        var openUntil: Instant?
    }

    static let window: Duration = .seconds(1)
    static let pause: Duration = .seconds(10)
    private static let capacity = 4_096

    let limit: Int
    private var counts: [Int: Count] = [:]

    init(limit: Int) {
        self.limit = limit
    }

    /// What to do with a message.
    enum Verdict {
        case pass
        /// The limit is reached now.
        case trips
        case blocked
    }

    mutating func passes(_ key: some Hashable, at now: Instant) -> Verdict {
        let hash = key.hashValue
        if counts.count >= Self.capacity, counts[hash] == nil {
            counts = counts.filter { $0.value.openUntil.map { $0 > now } ?? ($0.value.since + Self.window > now) }
            if counts.count >= Self.capacity { counts.removeAll() }
        }
        var count = counts[hash] ?? Count(since: now)
        defer { counts[hash] = count }
        if let openUntil = count.openUntil {
            if now < openUntil { return .blocked }
            count = Count(since: now)
        }
        if count.since + Self.window < now { count = Count(since: now) }
        count.number += 1
        guard count.number > limit else { return .pass }
        count.openUntil = now + Self.pause
        return .trips
    }
}
