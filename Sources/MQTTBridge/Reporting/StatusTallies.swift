import Logging

/// Counts messages by kind and broker, and decides when to report them: the first at once, later ones at most once a
/// second as a sum. Pure.
struct StatusTallies: Sendable {
    typealias Instant = ContinuousClock.Instant

    struct Key: Hashable, Sendable {
        let kind: CountedStatus
        let broker: String
    }

    /// One of the counted messages, reported on behalf of all.
    struct Example: Sendable {
        let topic: String
        let reason: String
        var more: [(String, String)] = []
    }

    struct Report: Sendable {
        let key: Key
        let example: Example
        /// The number since the last report.
        let count: Int
        /// The number since the start.
        let total: Int
        let level: Logger.Level
    }

    private struct Tally {
        var unreported = 0
        var total = 0
        /// The highest level among the unreported messages.
        var level = Logger.Level.trace
        var example: Example
        var lastReport: Instant?

        func isDue(at now: Instant) -> Bool {
            guard let lastReport else { return true }
            return lastReport + StatusTallies.interval <= now
        }

        mutating func report(_ key: Key, at now: Instant) -> Report {
            defer { (unreported, level, lastReport) = (0, .trace, now) }
            return Report(key: key, example: example, count: unreported, total: total, level: level)
        }
    }

    static let interval: Duration = .seconds(1)

    /// Bounded by the number of kinds and brokers.
    private var tallies: [Key: Tally] = [:]

    /// Counts messages. Returns a report if one is due at once.
    mutating func count(
        _ key: Key,
        _ number: Int,
        _ example: Example,
        level: Logger.Level,
        at now: Instant
    ) -> Report? {
        var tally = tallies[key] ?? Tally(example: example)
        tally.unreported += number
        tally.total += number
        tally.level = max(tally.level, level)
        tally.example = example
        defer { tallies[key] = tally }
        return tally.isDue(at: now) ? tally.report(key, at: now) : nil
    }

    /// When the next report is due; nil if nothing is unreported.
    var nextDue: Instant? {
        tallies.values.filter { $0.unreported > 0 }.compactMap { $0.lastReport.map { $0 + Self.interval } }.min()
    }

    /// The reports that are due.
    ///
    /// - Parameter isLast: Whether to report everything, due or not.
    mutating func due(at now: Instant, isLast: Bool = false) -> [Report] {
        let keys = tallies.filter { $0.value.unreported > 0 && (isLast || $0.value.isDue(at: now)) }.keys
        return keys.compactMap { tallies[$0]?.report($0, at: now) }
    }

    func total(_ key: Key) -> Int { tallies[key]?.total ?? 0 }
}
