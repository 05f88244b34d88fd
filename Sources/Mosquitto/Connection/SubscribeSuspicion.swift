/// Finds the topic filter at which a broker hangs up instead of answering. Pure.
///
/// After two connections in a row that ended at the same SUBSCRIBE, the client subscribes to its filters one at a time,
/// after all others. A filter that was alone in flight at three such ends is the culprit. It counts as refused, and the
/// client does not subscribe to it again until the broker was away or a connection has lasted.
struct SubscribeSuspicion: Sendable {
    /// A later end is not attributed to SUBSCRIBE.
    static let prompt: Duration = .seconds(5)
    private static let enough = 3

    private var watched: [String] = []
    private var suspects: Set<String> = []
    private var ends: [String: Int] = [:]
    private(set) var culprits: Set<String> = []

    /// Whether each SUBSCRIBE waits for the previous SUBACK.
    var isCareful: Bool { !suspects.isEmpty }

    /// Whether the filter goes alone, after all others.
    func isSuspect(_ filter: String) -> Bool { suspects.contains(filter) }

    /// A connection has ended without a reason. `unanswered` holds the filters of its first unanswered SUBSCRIBE.
    ///
    /// - Returns: The culprit, once it is found.
    mutating func ended(unanswered: [String]) -> String? {
        guard let first = unanswered.first else {
            watched = []
            return nil
        }
        if isCareful {
            guard unanswered.count == 1, suspects.contains(first) else {
                suspects.formUnion(unanswered)
                return nil
            }
            ends[first, default: 0] += 1
            guard ends[first] == Self.enough else { return nil }
            suspects.remove(first)
            ends[first] = nil
            culprits.insert(first)
            return first
        }
        if watched == unanswered { suspects = Set(unanswered) }
        watched = unanswered
        return nil
    }

    /// The broker answered.
    mutating func answered(_ filters: [String]) {
        guard isCareful || !watched.isEmpty else { return }
        suspects.subtract(filters)
        for filter in filters { ends[filter] = nil }
        watched.removeAll { filters.contains($0) }
    }

    /// The broker was away, and may be another one now; or a connection has lasted.
    mutating func reset() { self = SubscribeSuspicion() }
}
