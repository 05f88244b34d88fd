/// Counts and sizes of a store.
public struct StoreStatus: Sendable, Hashable {
    /// The messages of one direction and route.
    public struct Load: Sendable, Hashable {
        /// The direction.
        public var direction: DeadLetter.Direction
        /// The name of the route.
        public var route: String
        /// The number of messages.
        public var messages: Int
        /// The sum of the sizes that count against limits, in bytes.
        public var bytes: Int
        /// The time of the oldest message.
        public var oldest: Int64

        /// Creates a load.
        public init(direction: DeadLetter.Direction, route: String, messages: Int, bytes: Int, oldest: Int64) {
            self.direction = direction
            self.route = route
            self.messages = messages
            self.bytes = bytes
            self.oldest = oldest
        }
    }

    /// The loads, inbound first, then in the order of route names. Routes without messages have no load.
    public var loads: [Load]
    /// The number of dead letters.
    public var deadLetters: Int
    /// The number of identities for duplicate detection.
    public var seen: Int
    /// The space on the medium, in bytes; 0 for a store without one.
    public var size: Int

    /// Creates a status.
    public init(loads: [Load], deadLetters: Int, seen: Int, size: Int) {
        self.loads = loads
        self.deadLetters = deadLetters
        self.seen = seen
        self.size = size
    }

    /// The number of messages in both directions.
    public var messages: Int { loads.reduce(0) { $0 + $1.messages } }
    /// The sum of the sizes of messages in both directions, in bytes.
    public var bytes: Int { loads.reduce(0) { $0 + $1.bytes } }
}

/// The contents that a process finds in a store at its start.
public struct StoreInventory: Sendable, Hashable {
    /// The highest sequence in the store; 0 if there is none.
    public var lastSequence: Int64
    /// The loads, as in ``StoreStatus/loads``.
    public var loads: [StoreStatus.Load]
    /// The identities for duplicate detection, oldest first.
    public var seen: [SeenIdentity]
    /// The number of dead letters.
    public var deadLetters: Int
    /// The names of all listeners that inbound messages wait for, and possibly of others; nil if the store does not
    /// know.
    public var listeners: Set<String>?

    /// Creates an inventory.
    public init(
        lastSequence: Int64,
        loads: [StoreStatus.Load],
        seen: [SeenIdentity],
        deadLetters: Int,
        listeners: Set<String>? = nil
    ) {
        self.lastSequence = lastSequence
        self.loads = loads
        self.seen = seen
        self.deadLetters = deadLetters
        self.listeners = listeners
    }
}
