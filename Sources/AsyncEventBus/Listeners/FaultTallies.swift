/// Counts what goes wrong with listeners, by listener and kind, and decides when that is logged: at once, and then at most
/// once a second with the number that it stands for. Pure.
struct FaultTallies: Sendable {
    typealias Instant = ContinuousClock.Instant

    /// What goes wrong with a listener.
    enum Kind: Sendable {
        case failed
        case overflowed
    }

    struct Key: Hashable, Sendable {
        let listener: String
        let kind: Kind
    }

    /// One event that it happened with, and what is to be said about it.
    struct Example: Sendable {
        let event: EventName
        let text: String
    }

    /// What is to be logged now.
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
    /// Of so many listeners at a time what went wrong within a second is counted apart.
    static let limit = 256
    /// What counts together where they are more.
    static let others = "others"

    private var tallies: [Key: Tally] = [:]

    /// Whether something is counted that was not told.
    var hasUntold: Bool { tallies.values.contains { $0.untold > 0 } }

    /// Counts something. Returns what is to be told at once.
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

    /// What is to be told now of what was not told. Forgets listeners with which nothing was wrong for a second.
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
