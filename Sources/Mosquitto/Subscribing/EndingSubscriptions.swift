/// Topic filters to unsubscribe, until the broker has answered or is known to have no session. Pure.
struct EndingSubscriptions {
    typealias Completion = @Sendable (Result<Void, ClientError>) -> Void

    private struct Waiter {
        var missing: Set<String>
        let completion: Completion
    }

    /// Whether the broker keeps subscriptions after the connection has ended.
    private let outlivesConnections: Bool
    /// In the order of the calls.
    private var owed: [String]
    private var unsent: [String] = []
    private var sent: [Int32: [String]] = [:]
    private var waiters: [Waiter] = []

    init(_ filters: [String], outlivesConnections: Bool) {
        self.outlivesConnections = outlivesConnections
        owed = outlivesConnections ? filters : []
    }

    /// Whether the broker owes UNSUBACK on this connection.
    var awaitsAnswer: Bool { !sent.isEmpty }

    /// Whether nothing is unsent or unanswered on this connection.
    var isSettled: Bool { unsent.isEmpty && sent.isEmpty }

    mutating func connectionOpened(isSessionPresent: Bool) {
        if !isSessionPresent { settle(owed) }
        unsent = owed
    }

    mutating func connectionLost() {
        unsent = []
        sent = [:]
        if !outlivesConnections { settle(owed) }
    }

    mutating func add(_ filters: [String], isConnected: Bool, completion: @escaping Completion) {
        let all = Set(filters)
        waiters.append(Waiter(missing: all, completion: completion))
        guard isConnected || outlivesConnections else { return settle(filters) }
        owed.removeAll { all.contains($0) }
        owed += filters
        if isConnected { unsent += filters }
    }

    /// The client subscribes to these filters again: the broker replaces the subscriptions, and none must end.
    mutating func cancel(_ filters: Set<String>) {
        settle(owed.filter { filters.contains($0) })
        unsent.removeAll { filters.contains($0) }
        for packetID in sent.keys { sent[packetID]?.removeAll { filters.contains($0) } }
    }

    /// The next filters that fit into one UNSUBSCRIBE.
    mutating func nextBatch() -> [String]? {
        guard !unsent.isEmpty else { return nil }
        var bytes = 0
        let batch = unsent.prefix(SubscriptionRegistry.batchCount).prefix { filter in
            bytes += filter.utf8.count
            return bytes <= SubscriptionRegistry.batchBytes || bytes == filter.utf8.count
        }
        unsent.removeFirst(batch.count)
        return Array(batch)
    }

    mutating func sent(_ batch: [String], packetID: Int32) {
        sent[packetID] = batch
    }

    /// A batch could not be sent: fails its waiters. The next connection tries again.
    mutating func failed(_ batch: [String], _ error: ClientError) {
        settle(batch, .failure(error), isDone: false)
    }

    /// The broker has sent UNSUBACK.
    mutating func acknowledged(packetID: Int32) {
        if let batch = sent.removeValue(forKey: packetID) { settle(batch) }
    }

    /// The client has ended: fails all waiters.
    mutating func ended() {
        for waiter in waiters { waiter.completion(.failure(.notRunning("unsubscribe"))) }
        waiters = []
    }

    private mutating func settle(
        _ filters: [String],
        _ result: Result<Void, ClientError> = .success(()),
        isDone: Bool = true
    ) {
        guard !filters.isEmpty else { return }
        let filters = Set(filters)
        if isDone { owed.removeAll { filters.contains($0) } }
        for position in waiters.indices { waiters[position].missing.subtract(filters) }
        for waiter in waiters where waiter.missing.isEmpty { waiter.completion(result) }
        waiters.removeAll { $0.missing.isEmpty }
    }
}
