/// Changes that a store applies atomically, in the order of the members.
public struct StoreBatch: Sendable {
    /// A change of one listener's progress with one inbound message.
    public struct Progress: Sendable, Hashable {
        /// The sequence of the message.
        public var sequence: Int64
        /// The name of the listener.
        public var listener: String
        /// The new progress.
        public var progress: ListenerProgress

        /// Creates a change.
        public init(sequence: Int64, listener: String, progress: ListenerProgress) {
            self.sequence = sequence
            self.listener = listener
            self.progress = progress
        }
    }

    /// The life cycle of the process that uses the store: distinguishes a crash from a clean shutdown.
    public enum Life: String, Sendable, Hashable {
        /// Listeners may run from now on.
        case began
        /// Clean shutdown: no listener runs any more, or a running listener no longer matters.
        case ended
    }

    /// Sequences of completed inbound messages to remove. Removals come first so that arrivals reuse their space: with
    /// few open messages, the store writes the same page of its file again and again.
    public var finished: [Int64] = []
    /// Sequences of completed outbound messages to remove.
    public var published: [Int64] = []
    /// Inbound messages to add. The store refuses the whole batch if a sequence exists already.
    public var arrivals: [InboundRecord] = []
    /// Outbound messages to add. The store refuses the whole batch if a sequence exists already.
    public var departures: [OutboundRecord] = []
    /// Identities to add for duplicate detection.
    public var seen: [SeenIdentity] = []
    /// Progress of listeners. The store ignores progress with messages that it does not hold.
    public var progress: [Progress] = []
    /// Dead letters to add; the store assigns the next numbers.
    public var deadLetters: [DeadLetter] = []
    /// Numbers of replayed dead letters to remove.
    public var replayed: [Int64] = []
    /// Removals because of space or age.
    public var evictions: [StoreEviction] = []
    /// The new state of the process; nil for no change.
    public var life: Life?
    /// Whether the store writes even if nothing changes, to test the medium.
    public var isProbe = false

    /// Creates an empty batch.
    public init() {}

    /// Whether the batch changes nothing and is no probe.
    public var isEmpty: Bool {
        arrivals.isEmpty && departures.isEmpty && seen.isEmpty && progress.isEmpty && finished.isEmpty
            && published.isEmpty && deadLetters.isEmpty && replayed.isEmpty && evictions.isEmpty && life == nil
            && !isProbe
    }

    /// Whether a power cut may undo the batch. It only completes messages, which are then delivered again, and adds
    /// nothing that must not be lost.
    public var isRepeatable: Bool {
        arrivals.isEmpty && departures.isEmpty && deadLetters.isEmpty && replayed.isEmpty && life == nil && !isProbe
    }
}

/// The removal of incomplete messages, of identities or of dead letters.
public enum StoreEviction: Sendable, Hashable {
    /// The oldest messages of a direction, of one route or of all, until at least this many messages and bytes are
    /// removed.
    case oldest(DeadLetter.Direction, route: String?, messages: Int, bytes: Int)
    /// Messages of both directions with an expiry before this time.
    case expired(before: Int64)
    /// Identities in the order of their age, while the oldest one is from before this time or more than `keep` remain.
    case seen(before: Int64, keep: Int)
    /// The oldest dead letters, until at most `keep` letters and `bytes` bytes remain. A file store removes at most
    /// 1,000 letters and some 32 MiB at a time; the next eviction removes the rest.
    case deadLetters(keep: Int, bytes: Int)
}

/// A message or dead letter that was removed before its completion.
public struct StoreRemoval: Sendable, Hashable {
    /// The reason for a removal.
    public enum Reason: String, Sendable, Hashable {
        /// The store was full.
        case full
        /// The message expired.
        case expired
        /// The message was damaged in the store. No eviction has this reason: the bridge removes such a message itself.
        case damaged
        /// A dead letter over the limit.
        case letter
    }

    /// The direction of the message.
    public var direction: DeadLetter.Direction
    /// The sequence of a message or the number of a dead letter.
    public var sequence: Int64
    /// The name of the route.
    public var route: String
    /// The name of the broker.
    public var broker: String
    /// The topic.
    public var topic: String
    /// The size that it counted against limits, in bytes.
    public var size: Int
    /// The reason for the removal.
    public var reason: Reason

    /// Creates a removal.
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
