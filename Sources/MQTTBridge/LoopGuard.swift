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

    func contains(_ key: some Hashable) -> Bool { known.contains(key.hashValue) }

    /// Remembers a key. Returns whether it was new.
    mutating func insert(_ key: some Hashable, at now: Instant) -> Bool {
        let hash = key.hashValue
        guard known.insert(hash).inserted else { return false }
        order.append((hash, now))
        while let oldest = order.first, order.count > capacity || oldest.at + span < now {
            known.remove(oldest.hash)
            order.removeFirst()
        }
        return true
    }
}

/// Knows what we published ourselves, where the broker sends it back and nothing in the message tells. Pure.
///
/// For MQTT 3.1.1, which has neither No Local nor properties. Each publish comes back once; an equal message of somebody
/// else is indistinguishable, so that counting is right: of two equal ones that come, one is ours.
struct EchoWindow {
    typealias Instant = ContinuousClock.Instant

    let capacity: Int
    let span: Duration
    private var awaited: [Int: Int] = [:]
    private var order = Deque<(hash: Int, at: Instant)>()

    init(capacity: Int = 65_536, span: Duration = .seconds(10)) {
        self.capacity = capacity
        self.span = span
    }

    /// We publish this.
    mutating func published(topic: String, payload: [UInt8], at now: Instant) {
        let hash = Self.hash(topic, payload)
        awaited[hash, default: 0] += 1
        order.append((hash, now))
        while let oldest = order.first, order.count > capacity || oldest.at + span < now {
            order.removeFirst()
            remove(oldest.hash)
        }
    }

    /// This came. Returns whether it is what we published.
    mutating func received(topic: String, payload: [UInt8], at now: Instant) -> Bool {
        let hash = Self.hash(topic, payload)
        guard awaited[hash] != nil else { return false }
        // The oldest entry of that hash answers for it, and leaves the order when its time comes.
        guard let position = order.firstIndex(where: { $0.hash == hash }) else { return false }
        guard order[position].at + span >= now else { return false }
        order.remove(at: position)
        remove(hash)
        return true
    }

    private mutating func remove(_ hash: Int) {
        guard let count = awaited[hash] else { return }
        awaited[hash] = count > 1 ? count - 1 : nil
    }

    private static func hash(_ topic: String, _ payload: [UInt8]) -> Int {
        var hasher = Hasher()
        hasher.combine(ExactText(topic))
        payload.withUnsafeBytes { hasher.combine(bytes: $0) }
        return hasher.finalize()
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
