/// Finds the message at which a broker hangs up, so that the client does not send it on each connection. Pure.
///
/// After two connections in a row that end at the same message, or at a QoS 0 message, the client sends one message at
/// a time, on a connection that has first been quiet. A message is the culprit if it was alone in flight and three such
/// connections ended right after it. An end with no message in flight clears all suspects.
struct HangUpSuspicion {
    /// How a connection ended.
    struct End {
        /// The messages in flight, in the order of sending, and a QoS 0 message written just before the end.
        var underWay: [Publication]
        /// The time since the last message was sent.
        var sinceSent: Duration
        /// The broker's reason for the end.
        var reason: ReasonCode?
    }

    /// A later end is not attributed to the message.
    static let prompt: Duration = .seconds(5)
    /// How long a connection must have lasted before the suspect is sent, the first and the second time.
    static let quiet: (first: Duration, second: Duration) = (.milliseconds(200), .milliseconds(500))
    /// How long a QoS 0 message counts as in flight: it has no acknowledgement.
    static let probe: Duration = .milliseconds(250)
    /// The number of messages in a row that must pass before the client sends many at once again; each culprit doubles
    /// it.
    static let successes = (fewest: 8, most: 256)
    /// The number of connections that must end at a message sent alone: for the first culprit, and for later ones. A
    /// connection that breaks now and then, most often during a large message, must not produce a culprit.
    private static let endsAlone = (first: 3, later: 2)
    private static let topicLimit = 16

    private enum State {
        case trusting
        case watching(Publication)
        case careful(suspect: Publication?, ends: Int, successes: Int)
    }

    private var state = State.trusting
    /// The topics of the last culprits: on these, one end is enough.
    private var topics: [String] = []
    private var culprits = 0

    var isCareful: Bool { if case .careful = state { true } else { false } }

    /// How long a connection must have lasted before the first message is sent.
    var quietTime: Duration {
        guard case .careful(_, let ends, _) = state else { return .zero }
        return ends > 0 ? Self.quiet.second : topics.isEmpty ? Self.quiet.first : .zero
    }

    /// A connection has ended without a reason, or with one that a message may have caused.
    ///
    /// - Returns: The culprit, once it is found.
    mutating func ended(_ end: End) -> Publication? {
        let first = end.underWay.first { $0.message.qos > .atMostOnce } ?? end.underWay.first
        switch state {
        case .trusting:
            guard let first else { return nil }
            let isCertain = end.reason != nil || !topics.isEmpty
            state = isCertain ? .careful(suspect: nil, ends: 0, successes: 0) : .watching(first)
        case .watching(let former):
            let isAgain =
                first.map { $0 === former || ($0.message.qos, former.message.qos) == (.atMostOnce, .atMostOnce) }
            state =
                isAgain == true
                ? .careful(suspect: nil, ends: 0, successes: 0) : first.map { .watching($0) } ?? .trusting
        case .careful(let suspect, let ends, _):
            guard let first, end.underWay.count == 1, end.sinceSent <= Self.prompt else {
                // No message was in flight, or not recently: no message caused the end.
                state = .trusting
                return nil
            }
            let count = first === suspect ? ends + 1 : 1
            // A QoS 0 message is not sent again, whatever the certainty.
            let isCertain =
                end.reason != nil || topics.contains(first.message.topic) || first.message.qos == .atMostOnce
            let enough = isCertain ? 1 : culprits > 0 ? Self.endsAlone.later : Self.endsAlone.first
            guard count >= enough else {
                state = .careful(suspect: first, ends: count, successes: 0)
                return nil
            }
            found(first)
            return first
        }
        return nil
    }

    private mutating func found(_ culprit: Publication) {
        culprits = min(culprits + 1, 10)
        topics.removeAll { $0 == culprit.message.topic }
        topics.append(culprit.message.topic)
        if topics.count > Self.topicLimit { topics.removeFirst() }
        state = .careful(suspect: nil, ends: 0, successes: 0)
    }

    /// The broker has accepted or answered messages.
    mutating func passed(_ count: Int) {
        switch state {
        case .trusting: break
        case .watching: break
        case .careful(_, _, let successes):
            let enough = min(Self.successes.most, Self.successes.fewest << culprits)
            state =
                successes + count < enough ? .careful(suspect: nil, ends: 0, successes: successes + count) : .trusting
        }
    }

    /// The broker was away: it ended the earlier connections itself, and may be another one now.
    mutating func brokerWasAway() {
        state = .trusting
        topics = []
        culprits = 0
    }
}
