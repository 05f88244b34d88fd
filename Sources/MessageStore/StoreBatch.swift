/// Changes that happen together or not at all, in the order of the members.
public struct StoreBatch: Sendable {
    /// Progress of one listener with one inbound message.
    public struct Progress: Sendable, Hashable {
        /// The message.
        public var sequence: Int64
        /// The name of the listener.
        public var listener: String
        /// What is known from now on.
        public var progress: ListenerProgress

        /// A progress.
        public init(sequence: Int64, listener: String, progress: ListenerProgress) {
            self.sequence = sequence
            self.listener = listener
            self.progress = progress
        }
    }

    /// Inbound messages that are done with. They go first, and what comes takes their room: where few messages are open at
    /// a time, that is the same page of a file over and over.
    public var finished: [Int64] = []
    /// Outbound messages that are done with.
    public var published: [Int64] = []
    /// Inbound messages to keep. A sequence that is there already is refused, and the batch with it.
    public var arrivals: [InboundRecord] = []
    /// Outbound messages to keep. A sequence that is there already is refused, and the batch with it.
    public var departures: [OutboundRecord] = []
    /// Identities to remember.
    public var seen: [SeenIdentity] = []
    /// What listeners did. Of messages that are not in the store it is ignored.
    public var progress: [Progress] = []
    /// Dead letters to add; they get the next numbers.
    public var letters: [DeadLetter] = []
    /// Numbers of dead letters to remove.
    public var replayed: [Int64] = []
    /// What to remove to make room or because its time is over.
    public var evictions: [StoreEviction] = []
    /// Whether something is written even if nothing changes: to see whether the medium works.
    public var isProbe = false

    /// An empty batch.
    public init() {}

    /// Whether there is nothing to do.
    public var isEmpty: Bool {
        arrivals.isEmpty && departures.isEmpty && seen.isEmpty && progress.isEmpty && finished.isEmpty
            && published.isEmpty && letters.isEmpty && replayed.isEmpty && evictions.isEmpty && !isProbe
    }
}

/// Something to remove although nobody is done with it.
public enum StoreEviction: Sendable, Hashable {
    /// The oldest messages of a direction, of one route or of all, until so many messages and so many bytes are gone.
    case oldest(DeadLetter.Direction, route: String?, messages: Int, bytes: Int)
    /// Messages of both directions that expire before this time.
    case expired(before: Int64)
    /// The oldest identities, one after the other, as long as they came before this time or there are more than this
    /// number.
    case seen(before: Int64, keep: Int)
    /// The oldest dead letters beyond this number.
    case letters(keep: Int)
}

/// A message that an eviction of ``StoreEviction/oldest(_:route:messages:bytes:)`` or
/// ``StoreEviction/expired(before:)`` removed.
public struct StoreRemoval: Sendable, Hashable {
    /// Why it was removed.
    public enum Reason: String, Sendable, Hashable {
        /// There was no room.
        case full
        /// Its time was over.
        case expired
    }

    /// Which way it was going.
    public var direction: DeadLetter.Direction
    /// Its sequence.
    public var sequence: Int64
    /// The name of its route.
    public var route: String
    /// The name of its broker.
    public var broker: String
    /// Its topic.
    public var topic: String
    /// What it counted in bytes.
    public var size: Int
    /// Why it was removed.
    public var reason: Reason

    /// A removal.
    public init(
        direction: DeadLetter.Direction,
        sequence: Int64,
        route: String,
        broker: String,
        topic: String,
        size: Int,
        reason: Reason
    ) {
        self.direction = direction
        self.sequence = sequence
        self.route = route
        self.broker = broker
        self.topic = topic
        self.size = size
        self.reason = reason
    }
}
