/// A message that was given up: why, by whom, after how many attempts.
public struct DeadLetter: Sendable, Hashable {
    /// Which way it was going.
    public enum Direction: String, Sendable, Hashable, CaseIterable {
        /// From a broker to a listener.
        case inbound
        /// From an emit to a broker.
        case outbound
    }

    /// Its number in the store; 0 before it is there.
    public var number: Int64
    /// Which way it was going.
    public var direction: Direction
    /// The name of the route.
    public var route: String
    /// The name of the broker.
    public var broker: String
    /// The topic.
    public var topic: String
    /// The name of the event.
    public var event: String
    /// The identity: who made it …
    public var source: String
    /// … and which of that one's it is.
    public var tag: String
    /// The payload; nil where it was too large to be kept.
    public var payload: [UInt8]?
    /// How large the payload was, in bytes.
    public var payloadSize: Int
    /// What else is known, as in the record it was.
    public var details: String
    /// Outbound: the QoS.
    public var qos: UInt8
    /// Outbound: whether the broker was to keep it.
    public var isRetained: Bool
    /// The listener that could not deal with it; empty if none is to blame.
    public var listener: String
    /// Why it was given up.
    public var error: String
    /// How often it was tried.
    public var attempts: Int
    /// When it arrived or was emitted.
    public var time: Int64
    /// When it was given up.
    public var died: Int64
    /// Whether somebody asked for a replay, which has not begun.
    public var isReplayRequested: Bool

    /// A dead letter.
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
}

/// Which dead letters are meant: those that meet every condition that is given.
public struct DeadLetterFilter: Sendable, Hashable {
    /// Only these numbers; nil for all.
    public var numbers: [Int64]?
    /// Only those with a higher number: for reading on.
    public var after: Int64
    /// Only those of this route.
    public var route: String?
    /// Only those that were given up before this time.
    public var diedBefore: Int64?
    /// Only those for which a replay was asked.
    public var onlyReplayRequested: Bool

    /// A filter; without arguments, all letters.
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

    /// All of them.
    public static let all = DeadLetterFilter()

    /// Whether a letter meets every condition.
    public func matches(_ letter: DeadLetter) -> Bool {
        if let numbers, !numbers.contains(letter.number) { return false }
        if let route, letter.route != route { return false }
        if let diedBefore, letter.died >= diedBefore { return false }
        return letter.number > after && (letter.isReplayRequested || !onlyReplayRequested)
    }
}
