/// What is subscribed to, what was asked of this connection's broker, and what it answered. Pure.
struct SubscriptionRegistry {
    typealias Completion = @Sendable (Result<[SubscriptionResult], ClientError>) -> Void

    /// Limits of one SUBSCRIBE: brokers differ in what they take.
    static let batchCount = 64
    static let batchBytes = 16 * 1024

    private struct Waiter {
        var missing: Set<String>
        let requests: [SubscriptionRequest]
        let completion: Completion
    }

    private var wanted: [SubscriptionRequest]
    /// The same by filter, to tell the answer to a request that was replaced meanwhile.
    private var current: [String: SubscriptionRequest]
    private var unsent: [SubscriptionRequest] = []
    private var sent: [Int32: [SubscriptionRequest]] = [:]
    private var results: [String: ReasonCode] = [:]
    private var ending: [Int32: @Sendable (Result<Void, ClientError>) -> Void] = [:]
    private var waiters: [Waiter] = []
    /// Whether the answers to all that was wanted at the opening have been told.
    private var isTold = false

    init(_ requests: [SubscriptionRequest]) {
        wanted = requests
        current = Dictionary(requests.map { ($0.filter, $0) }) { $1 }
    }

    mutating func connectionOpened() {
        unsent = wanted
        sent = [:]
        results = [:]
        isTold = false
    }

    mutating func connectionLost() {
        unsent = []
        sent = [:]
        // The broker forgets an UNSUBSCRIBE that it did not answer, and we do not ask again for these filters.
        for completion in ending.values { completion(.success(())) }
        ending = [:]
    }

    /// A filter that is there already is replaced.
    mutating func add(_ requests: [SubscriptionRequest], completion: @escaping Completion) {
        let filters = Set(requests.map(\.filter))
        wanted.removeAll { filters.contains($0.filter) }
        wanted += requests
        unsent.removeAll { filters.contains($0.filter) }
        unsent += requests
        for filter in filters { results[filter] = nil }
        for request in requests { current[request.filter] = request }
        waiters.append(Waiter(missing: filters, requests: requests, completion: completion))
    }

    /// Who still waits for an answer to such a filter gets it now: it may never be sent again.
    mutating func remove(_ filters: [String]) {
        let filters = Set(filters)
        let removed = wanted.filter { filters.contains($0.filter) }
        wanted.removeAll { filters.contains($0.filter) }
        unsent.removeAll { filters.contains($0.filter) }
        settle(removed, reasons: removed.map { _ in .unspecifiedError })
        for filter in filters { current[filter] = nil }
    }

    mutating func ending(packetID: Int32, completion: @escaping @Sendable (Result<Void, ClientError>) -> Void) {
        ending[packetID] = completion
    }

    mutating func ended(packetID: Int32) {
        ending.removeValue(forKey: packetID)?(.success(()))
    }

    /// The next filters that fit into one SUBSCRIBE: the library gives them one QoS and one set of options.
    mutating func nextBatch() -> [SubscriptionRequest]? {
        guard let first = unsent.first else { return nil }
        var batch: [SubscriptionRequest] = []
        var bytes = 0
        var rest: [SubscriptionRequest] = []
        for request in unsent {
            let fits =
                batch.count < Self.batchCount && (bytes + request.filter.utf8.count <= Self.batchBytes || batch.isEmpty)
            if fits, request.qos == first.qos, request.optionBits == first.optionBits {
                batch.append(request)
                bytes += request.filter.utf8.count
            } else {
                rest.append(request)
            }
        }
        unsent = rest
        return batch
    }

    mutating func sent(_ batch: [SubscriptionRequest], packetID: Int32) {
        sent[packetID] = batch
    }

    /// A batch could not be sent: none of its filters was granted.
    mutating func failed(_ batch: [SubscriptionRequest], _ error: ClientError) {
        settle(batch, reasons: batch.map { _ in error.reason ?? .unspecifiedError })
    }

    /// The broker answered. Returns all answers when they are complete for the first time on this connection.
    mutating func acknowledged(packetID: Int32, reasons: [ReasonCode]) -> [SubscriptionResult]? {
        guard let batch = sent.removeValue(forKey: packetID) else { return nil }
        settle(batch, reasons: reasons)
        return resultsIfComplete()
    }

    /// All answers, once, when nothing is missing.
    mutating func resultsIfComplete() -> [SubscriptionResult]? {
        guard !isTold, unsent.isEmpty, sent.isEmpty else { return nil }
        isTold = true
        return wanted.map { SubscriptionResult(request: $0, reason: results[$0.filter] ?? .unspecifiedError) }
    }

    private mutating func settle(_ batch: [SubscriptionRequest], reasons: [ReasonCode]) {
        var filters: Set<String> = []
        for (position, request) in batch.enumerated() where current[request.filter] == request {
            results[request.filter] = position < reasons.count ? reasons[position] : .unspecifiedError
            filters.insert(request.filter)
        }
        for position in waiters.indices { waiters[position].missing.subtract(filters) }
        for waiter in waiters where waiter.missing.isEmpty {
            waiter.completion(
                .success(
                    waiter.requests.map {
                        SubscriptionResult(request: $0, reason: results[$0.filter] ?? .unspecifiedError)
                    }
                )
            )
        }
        waiters.removeAll { $0.missing.isEmpty }
    }

    /// The client has ended: whoever waits is told.
    mutating func ended() {
        for waiter in waiters { waiter.completion(.failure(.notRunning("subscribe"))) }
        waiters = []
        connectionLost()
    }
}
