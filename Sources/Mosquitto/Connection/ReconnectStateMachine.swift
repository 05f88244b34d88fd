/// Decides when to connect, to which broker and address, how long to pause, and when to give up.
///
/// Pure: the time and the random generator are arguments.
struct ReconnectStateMachine: Sendable {
    typealias Instant = ContinuousClock.Instant

    /// A broker of the list, and one of its addresses.
    struct Target: Sendable, Hashable {
        var broker = 0
        var address = 0
    }

    enum Action: Sendable {
        case connect(Target)
        case pause(until: Instant, length: Duration, attempt: Int, because: ClientError)
        case stop(ClientError)
    }

    /// The evidence about a connection that has ended.
    struct End: Sendable {
        /// Whether the broker answered a publish, or sent a message without the retain flag.
        var didWork = false
        /// Whether the packets sent are a possible cause.
        var isExplained = false
    }

    /// A connection that ends sooner and without a reason hints at another client with the same client identifier, or
    /// at a broker that hangs up on a packet.
    static let shortLife: Duration = .seconds(3)
    /// After this many such connections in a row the pauses are long.
    static let shortLivesInFight = 5
    /// A connection that lasts this long is healthy: it resets the pauses.
    static let soundLife: Duration = .seconds(60)
    /// A connection that lasts this many times the last pause is healthy too.
    static let soundFactor = 20

    private let brokers: [BrokerURL]
    private let policy: BackoffPolicy
    private var target = Target()
    private var backoff = Backoff()
    private var attempt = 0
    private var connectedAt: Instant?
    private var shortLives = 0
    private var illegalTopics = 0
    private var wasConnected = false
    private var mayRetry: Bool
    private let retriesOnceConnected: Bool

    init(brokers: [BrokerURL], policy: BackoffPolicy, persistence: ClientOptions.Reconnect.Persistence = .forever) {
        self.brokers = brokers
        self.policy = policy
        mayRetry = persistence == .forever
        retriesOnceConnected = persistence != .never
    }

    /// The broker of the current attempt or connection.
    var broker: BrokerURL { brokers[target.broker] }

    /// Whether each broker was tried at most once since the start or the last connection.
    var isFirstRound: Bool { attempt <= brokers.count }

    /// After an illegal packet the client reads one message at a time, and acknowledges it before the next: the session
    /// advances as far as it can.
    var readsCarefully: Bool { illegalTopics > 0 }

    mutating func started() -> Action {
        attempt += 1
        return .connect(target)
    }

    mutating func pauseEnded() -> Action { started() }

    /// The client has parked, without a connection. It will start from the first broker.
    mutating func parked(at now: Instant) {
        if let connectedAt {
            if connectedAt.duration(to: now) >= Self.soundLife { illegalTopics = 0 }
            backoff.reset()
        }
        connectedAt = nil
        attempt = 0
        target = Target()
    }

    mutating func resumed() -> Action { started() }

    /// - Parameter isSessionLost: Whether the broker lost the session. Then it restarted: no other client took over the
    ///   earlier connections.
    mutating func connected(at now: Instant, isSessionLost: Bool = false) {
        if isSessionLost { shortLives = 0 }
        connectedAt = now
        wasConnected = true
        mayRetry = retriesOnceConnected
        attempt = 0
        target.address = 0
    }

    /// An attempt failed. `addresses` is the number of addresses of the host name; nil if the look-up failed.
    mutating func attemptFailed(
        _ error: ClientError,
        addresses: Int?,
        at now: Instant,
        using generator: inout some RandomNumberGenerator
    ) -> Action {
        guard isRetriable(error) else { return .stop(error) }
        // A broker that was away ended the earlier connections itself: no other client took them over.
        if error.mayDifferByAddress { shortLives = 0 }
        if let addresses, target.address + 1 < addresses, error.mayDifferByAddress {
            target.address += 1
            return .connect(target)
        }
        target.address = 0
        target.broker = (target.broker + 1) % brokers.count
        // Tries the other brokers of the list at once, and pauses after a whole round of failures.
        if target.broker != 0, error.code != .badCredentials, error.code != .notAuthorized {
            attempt += 1
            return .connect(target)
        }
        return pause(because: error, at: now, using: &generator)
    }

    /// An accepted connection has ended.
    mutating func connectionLost(
        _ error: ClientError,
        _ end: End = End(),
        at now: Instant,
        using generator: inout some RandomNumberGenerator
    ) -> Action {
        let life = connectedAt.map { $0.duration(to: now) } ?? .zero
        connectedAt = nil
        target = Target()
        guard error.isRetriable else { return .stop(error) }
        if life >= Self.soundLife { illegalTopics = 0 }
        if error.isIllegalPacket, !end.isExplained { illegalTopics += 1 }
        if error.code != .connectionLost || life >= Self.shortLife {
            shortLives = 0
        } else if !end.isExplained {
            shortLives += 1
        }
        if shortLives >= Self.shortLivesInFight {
            return pause(because: error.repeated(shortLives, within: Self.shortLife), at: now, using: &generator)
        }
        let hasLasted = life >= min(Self.soundLife, max(Self.shortLife, backoff.last * Self.soundFactor))
        if hasLasted || end.didWork, !error.isIllegalPacket || end.isExplained { backoff.reset() }
        return pause(because: error, at: now, using: &generator)
    }

    /// Files that were readable once may be under replacement: not a mistake in the options.
    private func isRetriable(_ error: ClientError) -> Bool {
        error.isRetriable || wasConnected && (error.code == .secret || error.code == .tlsConfiguration)
    }

    private mutating func pause(
        because error: ClientError,
        at now: Instant,
        using generator: inout some RandomNumberGenerator
    ) -> Action {
        guard mayRetry else { return .stop(error) }
        let isLocal = brokers.allSatisfy(\.isLocal)
        let (shortest, longest) =
            switch error.code {
            case .badCredentials, .notAuthorized: (policy.afterRefusedLogin, policy.afterRefusedLogin * 10)
            case _ where error.isIllegalPacket && illegalTopics > 1:
                (policy.afterIllegalTopic, policy.afterIllegalTopic * 10)
            case .connectionLost where shortLives >= Self.shortLivesInFight:
                (policy.afterShortLives, policy.afterShortLives * 60)
            default: (policy.shortest, isLocal ? policy.longestLocal : policy.longest)
            }
        let length = backoff.next(shortest: shortest, longest: longest, using: &generator)
        return .pause(until: now + length, length: length, attempt: attempt, because: error)
    }
}

extension ClientError {
    /// Whether the broker sent a packet that it will send again.
    fileprivate var isIllegalPacket: Bool { code == .illegalTopic || code == .protocolError }

    /// Whether another address of the host may work: this one does not answer.
    var mayDifferByAddress: Bool {
        code == .refused || code == .unreachable || code == .timedOut
    }

    static func takenOver(by evidence: String, reason: ReasonCode? = nil) -> ClientError {
        ClientError(
            .takenOver,
            operation: "stay connected",
            detail: evidence,
            advice: "Give each client a client_id of its own; then start this one again",
            reason: reason
        )
    }
}
