/// Decides when to connect, to which broker and address, how long to pause, and when to give up.
///
/// Pure: the time and the randomness come in as arguments.
struct LinkStateMachine: Sendable {
    typealias Instant = ContinuousClock.Instant

    /// Which broker of the list, and which of its addresses.
    struct Target: Sendable, Hashable {
        var broker = 0
        var address = 0
    }

    enum Action: Sendable {
        case connect(Target)
        case pause(until: Instant, length: Duration, attempt: Int, because: ClientError)
        case stop(ClientError)
    }

    /// A connection that ends sooner than this, without a reason, counts towards a fight for the client identifier.
    static let shortLife: Duration = .seconds(3)
    /// So many such connections in a row are taken for a fight.
    static let shortLivesInFight = 5
    /// A connection that lasts this long was sound: pauses become short again.
    static let soundLife: Duration = .seconds(60)

    private let brokers: [BrokerURL]
    private let policy: BackoffPolicy
    private var target = Target()
    private var backoff = Backoff()
    private var attempt = 0
    private var connectedAt: Instant?
    private var shortLives = 0
    private var poisonings = 0
    private var mayRetry: Bool
    private let retriesOnceConnected: Bool

    init(brokers: [BrokerURL], policy: BackoffPolicy, persistence: ClientOptions.Persistence = .forever) {
        self.brokers = brokers
        self.policy = policy
        mayRetry = persistence == .forever
        retriesOnceConnected = persistence != .never
    }

    /// The broker that is tried, or connected.
    var broker: BrokerURL { brokers[target.broker] }

    /// Whether no broker of the list was tried twice since the start or the last connection.
    var isFirstRound: Bool { attempt <= brokers.count }

    /// After an illegal message each message is acknowledged before the next is read, so that the session moves on
    /// as far as it can.
    var readsCarefully: Bool { poisonings > 0 }

    mutating func started() -> Action {
        attempt += 1
        return .connect(target)
    }

    mutating func pauseEnded() -> Action { started() }

    /// The client has no connection, as it wanted, and will begin with the first broker again.
    mutating func parked(at now: Instant) {
        if let connectedAt {
            if connectedAt.duration(to: now) >= Self.soundLife { poisonings = 0 }
            backoff.reset()
        }
        connectedAt = nil
        attempt = 0
        target = Target()
    }

    mutating func resumed() -> Action { started() }

    /// - Parameter isSessionLost: Whether the broker has lost what it had kept for us: it began anew, and nobody took the
    ///   connections before over.
    mutating func connected(at now: Instant, isSessionLost: Bool = false) {
        if isSessionLost { shortLives = 0 }
        connectedAt = now
        mayRetry = retriesOnceConnected
        attempt = 0
        target.address = 0
    }

    /// An attempt came to nothing. `addresses` is how many the host name has, if it could be looked up.
    mutating func attemptFailed(
        _ error: ClientError,
        addresses: Int?,
        at now: Instant,
        using generator: inout some RandomNumberGenerator
    ) -> Action {
        guard error.isRetriable else { return .stop(error) }
        // A broker that was away ended the connections before itself: nobody took them over.
        if error.mayDifferByAddress { shortLives = 0 }
        if let addresses, target.address + 1 < addresses, error.mayDifferByAddress {
            target.address += 1
            return .connect(target)
        }
        target.address = 0
        target.broker = (target.broker + 1) % brokers.count
        // The other brokers of the list are tried at once: only a whole round of failures makes it pause.
        if target.broker != 0, error.code != .badCredentials, error.code != .notAuthorized {
            attempt += 1
            return .connect(target)
        }
        return pause(because: error, at: now, using: &generator)
    }

    /// A connection that was accepted has ended.
    mutating func connectionLost(
        _ error: ClientError,
        at now: Instant,
        using generator: inout some RandomNumberGenerator
    ) -> Action {
        let life = connectedAt.map { $0.duration(to: now) } ?? .zero
        connectedAt = nil
        target = Target()
        guard error.isRetriable else { return .stop(error) }
        if life >= Self.soundLife { poisonings = 0 }
        if error.code == .poisonTopic { poisonings += 1 }
        shortLives = error.code == .connectionLost && life < Self.shortLife ? shortLives + 1 : 0
        guard shortLives < Self.shortLivesInFight else {
            return .stop(.takenOver(by: "\(shortLives) connections in a row were closed within \(Self.shortLife)"))
        }
        if shortLives <= 1, error.code != .poisonTopic { backoff.reset() }
        return pause(because: error, at: now, using: &generator)
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
            case .poisonTopic where poisonings > 1: (policy.afterPoison, policy.afterPoison * 10)
            default: (policy.shortest, isLocal ? policy.longestLocal : policy.longest)
            }
        let length = backoff.next(shortest: shortest, longest: longest, using: &generator)
        return .pause(until: now + length, length: length, attempt: attempt, because: error)
    }
}

extension ClientError {
    /// Whether another address of the same host may do better.
    fileprivate var mayDifferByAddress: Bool {
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
