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
