import AsyncEventBus
import DequeModule

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
