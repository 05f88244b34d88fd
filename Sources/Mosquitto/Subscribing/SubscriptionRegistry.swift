/// The subscriptions of the client, and the requests and answers on the current connection. Pure.
struct SubscriptionRegistry {
    typealias Completion = @Sendable (Result<[SubscriptionResult], ClientError>) -> Void

    /// The limits of one SUBSCRIBE: brokers differ in what they accept. Bytes of filters.
    static let batchCount = 64
    static let batchBytes = 16 * 1024

    private struct Waiter {
        var missing: Set<String>
        let requests: [SubscriptionRequest]
        let completion: Completion
    }

    private var wanted: [SubscriptionRequest]
    /// ``wanted`` by filter: identifies answers to a request that has been replaced.
    private var current: [String: SubscriptionRequest]
    private var unsent: [SubscriptionRequest] = []
    private var sent: [Int32: [SubscriptionRequest]] = [:]
    private var results: [String: ReasonCode] = [:]
    /// The filters to unsubscribe.
    private var ending: EndingSubscriptions
    private(set) var suspicion = SubscribeSuspicion()
    private var isConnected = false
    private var waiters: [Waiter] = []
    /// Whether the results of this connection have been reported since the last change.
    private var areResultsReported = false

    /// Whether the broker owes SUBACK.
    var awaitsSuback: Bool { !sent.isEmpty }

    /// Whether a request asks for ``SubscriptionRequest/marksKept``.
    var marksKept: Bool { wanted.contains(where: \.marksKept) }

    /// Whether the broker owes UNSUBACK.
    var awaitsUnsuback: Bool { ending.awaitsAnswer }

    /// - Parameters:
    ///   - former: Filters that the session of an earlier run may still hold.
    ///   - keepsSession: Whether the client asks the broker to keep the session.
    init(_ requests: [SubscriptionRequest], former: [String] = [], keepsSession: Bool = false) {
        wanted = requests
        current = Dictionary(requests.map { ($0.filter, $0) }) { $1 }
        // By bytes, as brokers compare filters: Swift compares canonical equivalents as equal.
        let filters = Set(requests.map { Array($0.filter.utf8) })
        let leftOver = former.filter { !filters.contains(Array($0.utf8)) }
        ending = EndingSubscriptions(leftOver, outlivesConnections: keepsSession)
    }

    mutating func connectionOpened(isSessionPresent: Bool = false) {
        isConnected = true
        ending.connectionOpened(isSessionPresent: isSessionPresent)
        unsent = wanted
        sent = [:]
        results = [:]
        areResultsReported = false
        leaveOutCulprits()
    }

    /// Filters at which the broker hangs up count as refused, and are not sent.
    private mutating func leaveOutCulprits() {
        guard !suspicion.culprits.isEmpty else { return }
        let culprits = unsent.filter { suspicion.culprits.contains($0.filter) }
        unsent.removeAll { suspicion.culprits.contains($0.filter) }
        settle(culprits, reasons: culprits.map { _ in .unspecifiedError })
    }

    /// Whether the broker has answered all requests on this connection.
    var isSettled: Bool { unsent.isEmpty && sent.isEmpty }

    /// The filters of the first unanswered SUBSCRIBE on this connection.
    var unanswered: [String] { sent.keys.min().flatMap { sent[$0] }?.map(\.filter) ?? [] }

    /// The connection has ended without a reason.
    ///
    /// - Returns: The filter at which the broker hangs up, once it is found.
    mutating func hungUp(isPrompt: Bool) -> String? { suspicion.ended(unanswered: isPrompt ? unanswered : []) }

    /// Subscribes to refused culprits again, from the next connection on.
    mutating func forgive() { suspicion.reset() }

    mutating func connectionLost() {
        unsent = []
        sent = [:]
        isConnected = false
        ending.connectionLost()
    }

    /// Replaces subscriptions to the same filters.
    mutating func add(_ requests: [SubscriptionRequest], completion: @escaping Completion) {
        let filters = Set(requests.map(\.filter))
        areResultsReported = false
        ending.cancel(filters)
        wanted.removeAll { filters.contains($0.filter) }
        wanted += requests
        unsent.removeAll { filters.contains($0.filter) }
        unsent += requests
        for filter in filters { results[filter] = nil }
        for request in requests { current[request.filter] = request }
        waiters.append(Waiter(missing: filters, requests: requests, completion: completion))
        leaveOutCulprits()
    }

    /// Completes waiting subscribe calls for these filters at once: their SUBSCRIBE may never be sent again.
    mutating func remove(_ filters: [String], completion: @escaping EndingSubscriptions.Completion) {
        let removed = Set(filters)
        areResultsReported = false
        let requests = wanted.filter { removed.contains($0.filter) }
        wanted.removeAll { removed.contains($0.filter) }
        unsent.removeAll { removed.contains($0.filter) }
        settle(requests, reasons: requests.map { _ in .unspecifiedError })
        for filter in removed { current[filter] = nil }
        ending.add(filters, isConnected: isConnected, completion: completion)
    }

    /// The next filters that fit into one UNSUBSCRIBE.
    mutating func nextEnding() -> [String]? { unsent.isEmpty ? ending.nextBatch() : nil }

    mutating func endingSent(_ batch: [String], packetID: Int32) {
        ending.sent(batch, packetID: packetID)
    }

    mutating func endingFailed(_ batch: [String], _ error: ClientError) {
        ending.failed(batch, error)
    }

    /// The broker has sent UNSUBACK. Returns results like ``acknowledged(packetID:reasons:)``.
    mutating func ended(packetID: Int32) -> [SubscriptionResult]? {
        ending.acknowledged(packetID: packetID)
        return resultsIfComplete()
    }

    /// The next requests that fit into one SUBSCRIBE: libmosquitto takes one QoS and one set of options for all its
    /// filters.
    mutating func nextBatch() -> [SubscriptionRequest]? {
        if suspicion.isCareful {
            guard sent.isEmpty else { return nil }
            if let position = unsent.firstIndex(where: { !suspicion.isSuspect($0.filter) }) {
                unsent.swapAt(0, position)
            } else {
                return unsent.isEmpty ? nil : [unsent.removeFirst()]
            }
        }
        guard let first = unsent.first else { return nil }
        var batch: [SubscriptionRequest] = []
        var bytes = 0
        var rest: [SubscriptionRequest] = []
        for request in unsent {
            let fits =
                batch.count < Self.batchCount && (bytes + request.filter.utf8.count <= Self.batchBytes || batch.isEmpty)
            if fits, request.qos == first.qos, request.optionBits == first.optionBits,
                request.marksKept == first.marksKept,
                !suspicion.isSuspect(request.filter)
            {
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

    /// A batch could not be sent: its filters count as refused.
    mutating func failed(_ batch: [SubscriptionRequest], _ error: ClientError) {
        settle(batch, reasons: batch.map { _ in error.reason ?? .unspecifiedError })
    }

    /// The broker has sent SUBACK. Returns all results when they are complete, as ``resultsIfComplete()``.
    mutating func acknowledged(packetID: Int32, reasons: [ReasonCode]) -> [SubscriptionResult]? {
        guard let batch = sent.removeValue(forKey: packetID) else { return nil }
        suspicion.answered(batch.map(\.filter))
        settle(batch, reasons: reasons)
        return resultsIfComplete()
    }

    /// All results when no answer is missing, once on each connection and after each change.
    mutating func resultsIfComplete() -> [SubscriptionResult]? {
        guard isConnected, !areResultsReported, unsent.isEmpty, sent.isEmpty, ending.isSettled else { return nil }
        areResultsReported = true
        return wanted.map(result)
    }

    private func result(of request: SubscriptionRequest) -> SubscriptionResult {
        SubscriptionResult(
            request: request,
            reason: results[request.filter] ?? .unspecifiedError,
            isHangUp: suspicion.culprits.contains(request.filter)
        )
    }

    private mutating func settle(_ batch: [SubscriptionRequest], reasons: [ReasonCode]) {
        var filters: Set<String> = []
        for (position, request) in batch.enumerated() where current[request.filter] == request {
            results[request.filter] = position < reasons.count ? reasons[position] : .unspecifiedError
            filters.insert(request.filter)
        }
        for position in waiters.indices { waiters[position].missing.subtract(filters) }
        for waiter in waiters where waiter.missing.isEmpty {
            waiter.completion(.success(waiter.requests.map(result)))
        }
        waiters.removeAll { $0.missing.isEmpty }
    }

    /// The client has ended: fails all waiters.
    mutating func ended() {
        for waiter in waiters { waiter.completion(.failure(.notRunning("subscribe"))) }
        waiters = []
        ending.ended()
        connectionLost()
    }
}
