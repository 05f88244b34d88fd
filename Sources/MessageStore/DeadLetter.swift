/// A message that failed for good, with the reason, the listener at fault and the number of attempts.
public struct DeadLetter: Sendable, Hashable {
    /// The direction of a message through the bridge.
    public enum Direction: String, Sendable, Hashable, CaseIterable {
        /// From a broker to a listener.
        case inbound
        /// From an emit to a broker.
        case outbound
    }

    /// The number in the store, ascending in the order of insertion; 0 before the store assigns one.
    public var number: Int64
    /// The direction of the message.
    public var direction: Direction
    /// The name of the route.
    public var route: String
    /// The name of the broker.
    public var broker: String
    /// The topic.
    public var topic: String
    /// The name of the event.
    public var event: String
    /// The first half of the message's identity: its producer.
    public var source: String
    /// The second half of the identity: unique within `source`.
    public var tag: String
    /// The payload; nil if it was too large to keep.
    public var payload: [UInt8]?
    /// The size of the original payload, in bytes.
    public var payloadSize: Int
    /// Further attributes in the bridge's encoding, as in the record of the message.
    public var details: String
    /// Outbound: the QoS.
    public var qos: UInt8
    /// Outbound: the retain flag.
    public var isRetained: Bool
    /// The listener that failed; empty if no listener is at fault.
    public var listener: String
    /// The reason for the failure.
    public var error: String
    /// The number of attempts.
    public var attempts: Int
    /// The time of arrival or emission; see ``MessageStore`` for the time line.
    public var time: Int64
    /// The time at which it became a dead letter.
    public var died: Int64
    /// Whether a replay is requested and has not begun.
    public var isReplayRequested: Bool

    /// Creates a dead letter.
    public init(
        number: Int64 = 0,
        direction: Direction,
        route: String,
        broker: String,
        topic: String,
        event: String,
        source: String,
        tag: String,
        payload: [UInt8]?,
        payloadSize: Int,
        details: String = "",
        qos: UInt8 = 1,
        isRetained: Bool = false,
        listener: String = "",
        error: String,
        attempts: Int,
        time: Int64,
        died: Int64,
        isReplayRequested: Bool = false
    ) {
        self.number = number
        self.direction = direction
        self.route = route
        self.broker = broker
        self.topic = topic
        self.event = event
        self.source = source
        self.tag = tag
        self.payload = payload
        self.payloadSize = payloadSize
        self.details = details
        self.qos = qos
        self.isRetained = isRetained
        self.listener = listener
        self.error = error
        self.attempts = attempts
        self.time = time
        self.died = died
        self.isReplayRequested = isReplayRequested
    }

    /// Creates a dead letter of a row of which nothing is legible.
    package init(of row: StoreRow) {
        self.init(
            direction: row.direction,
            route: "",
            broker: "",
            topic: "",
            event: "",
            source: "",
            tag: "",
            payload: nil,
            payloadSize: 0,
            error: "",
            attempts: 0,
            time: 0,
            died: 0
        )
    }
}

extension DeadLetter {
    /// Whether it can be replayed.
    package var canRunAgain: Bool { payload != nil && !event.isEmpty }
}

/// Selects the dead letters that meet all conditions.
public struct DeadLetterFilter: Sendable, Hashable {
    /// Letters with one of these numbers; nil for all letters.
    public var numbers: [Int64]?
    /// Letters with a higher number: the position from which the next page continues.
    public var after: Int64
    /// Letters of this route; nil for all routes.
    public var route: String?
    /// Letters that failed before this time (exclusive); nil for all times.
    public var diedBefore: Int64?
    /// Whether only letters with a pending replay request match.
    public var onlyReplayRequested: Bool

    /// Creates a filter; without arguments it matches all letters.
    public init(
        numbers: [Int64]? = nil,
        after: Int64 = 0,
        route: String? = nil,
        diedBefore: Int64? = nil,
        onlyReplayRequested: Bool = false
    ) {
        self.numbers = numbers
        self.after = after
        self.route = route
        self.diedBefore = diedBefore
        self.onlyReplayRequested = onlyReplayRequested
    }

    /// Matches all letters.
    public static let all = DeadLetterFilter()

    /// Whether a letter meets all conditions.
    public func matches(_ letter: DeadLetter) -> Bool {
        if let numbers, !numbers.contains(letter.number) { return false }
        if let route, letter.route != route { return false }
        if let diedBefore, letter.died >= diedBefore { return false }
        return letter.number > after && (letter.isReplayRequested || !onlyReplayRequested)
    }
}
