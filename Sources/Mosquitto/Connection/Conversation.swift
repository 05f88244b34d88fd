/// The recent packets of one connection, as evidence of why it ended. Pure.
struct Conversation: Sendable {
    typealias Instant = ContinuousClock.Instant

    /// An end within this time after a publish, or after the refusal of a publish, is attributed to it.
    static let prompt: Duration = .seconds(1)
    /// An end within this time after the acknowledgement of a publish is attributed to it.
    static let atOnce: Duration = .milliseconds(20)

    private enum Sent {
        case nothing
        case subscribe(filter: String, count: Int)
        case publish(Publication)
    }

    /// When the broker accepted the connection.
    let opened: Instant
    /// Whether the broker answered a publish, or sent a message without the retain flag.
    private(set) var didWork = false
    private var sent = Sent.nothing
    private var sentAt: Instant
    private var isAnswered = false
    /// The last packet from the broker, if it answered a publish.
    private var answer: (isRefusal: Bool, at: Instant)?

    init(opened: Instant) {
        self.opened = opened
        sentAt = opened
    }

    mutating func subscribed(to filter: String, count: Int, at now: Instant) {
        sent = .subscribe(filter: filter, count: count)
        (sentAt, isAnswered) = (now, false)
    }

    /// - Parameter publication: The last one of a batch.
    mutating func published(_ publication: Publication, at now: Instant) {
        sent = .publish(publication)
        (sentAt, isAnswered) = (now, false)
    }

    /// The broker answered SUBSCRIBE or UNSUBSCRIBE.
    mutating func granted() {
        isAnswered = true
        answer = nil
    }

    /// The broker acknowledged publishes.
    mutating func answered(isRefusal: Bool, at now: Instant) {
        didWork = true
        isAnswered = true
        answer = (isRefusal, now)
    }

    mutating func received(isReplay: Bool) {
        if !isReplay { didWork = true }
        answer = nil
    }

    /// The last packet sent, if it was a recent QoS 0 publish, which has no acknowledgement.
    func endsAtUnanswered(at now: Instant) -> Publication? {
        guard case .publish(let publication) = sent, publication.message.qos == .atMostOnce, !isAnswered,
            sentAt.duration(to: now) <= Self.prompt
        else { return nil }
        return publication
    }

    /// Whether the end is attributed to a publish that the broker has just answered: some brokers hang up after each
    /// refusal, and MQTT 3.1.1 has no way to report one.
    func endsAtAnswer(at now: Instant) -> Bool {
        guard let answer else { return false }
        return answer.at.duration(to: now) <= (answer.isRefusal ? Self.prompt : Self.atOnce)
    }

    /// The time since the last packet was sent.
    func sinceSent(at now: Instant) -> Duration { sentAt.duration(to: now) }

    /// The last packet sent, apart from acknowledgements and PINGREQ, and whether it was answered; for error messages.
    var lastPacket: String {
        switch sent {
        case .nothing: "CONNECT"
        case .subscribe(let filter, let count):
            "SUBSCRIBE to \"\(escapedForLog(filter, limit: 80))\"" + (count > 1 ? " and \(count - 1) more" : "")
                + (isAnswered ? ", which was answered" : "")
        case .publish(let publication):
            "PUBLISH to \(publication.message.summary)" + (isAnswered ? ", with others answered since" : "")
        }
    }
}

extension Message {
    /// The topic, and the properties to which a broker may object, for error messages.
    var summary: String {
        "\"\(escapedForLog(topic, limit: 80))\" (\(payload.count) bytes, QoS \(qos.rawValue)"
            + (isRetained ? ", retained)" : ")")
    }
}
