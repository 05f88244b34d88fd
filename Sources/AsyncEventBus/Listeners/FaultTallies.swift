/// Counts the faults of listeners, by listener and kind, and decides when to log them: the first at once, then at most
/// once a second with their number. Pure.
struct FaultTallies: Sendable {
    typealias Instant = ContinuousClock.Instant

    enum Kind: Sendable {
        case failed
        case overflowed
    }

    struct Key: Hashable, Sendable {
        let listener: String
        let kind: Kind
    }

    /// The event of one fault, and a description.
    struct Example: Sendable {
        let event: EventName
        let text: String
    }

    /// A line to log.
    struct Telling: Sendable {
        let key: Key
        let example: Example
        let count: Int
    }

    private struct Tally {
        var untold: Int
        var example: Example
        var lastTold: Instant
    }

    static let interval: Duration = .seconds(1)
    /// The most tallies; faults of further listeners share one tally for each kind.
    static let limit = 256
    /// The name of the listener in a shared tally.
    static let others = "others"

    private var tallies: [Key: Tally] = [:]

    /// Whether a counted fault is not logged yet.
    var hasUntold: Bool { tallies.values.contains { $0.untold > 0 } }

    /// Counts faults. Returns the line to log at once.
    mutating func count(_ key: Key, _ number: Int, _ example: Example, at now: Instant) -> Telling? {
        if tallies[key] == nil, tallies.count >= Self.limit { forgetTold(at: now) }
        let isKnown = tallies[key] != nil || tallies.count < Self.limit
        let key = isKnown ? key : Key(listener: Self.others, kind: key.kind)
        guard var tally = tallies[key], tally.lastTold + Self.interval > now else {
            let untold = tallies[key]?.untold ?? 0
            tallies[key] = Tally(untold: 0, example: example, lastTold: now)
            return Telling(key: key, example: example, count: untold + number)
        }
        tally.untold += number
        tally.example = example
        tallies[key] = tally
        return nil
    }

    /// Returns the lines that are due. Forgets listeners without a fault for a second.
    mutating func due(at now: Instant) -> [Telling] {
        var tellings: [Telling] = []
        for (key, tally) in tallies where tally.untold > 0 && tally.lastTold + Self.interval <= now {
            tellings.append(Telling(key: key, example: tally.example, count: tally.untold))
            tallies[key] = Tally(untold: 0, example: tally.example, lastTold: now)
        }
        forgetTold(at: now)
        return tellings
    }

    private mutating func forgetTold(at now: Instant) {
        tallies = tallies.filter { $0.value.untold > 0 || $0.value.lastTold + Self.interval > now }
    }
}
