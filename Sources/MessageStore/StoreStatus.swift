/// How much is in a store.
public struct StoreStatus: Sendable, Hashable {
    /// How much of one direction and route.
    public struct Load: Sendable, Hashable {
        /// Which way.
        public var direction: DeadLetter.Direction
        /// The name of the route.
        public var route: String
        /// How many messages.
        public var messages: Int
        /// What they count in bytes.
        public var bytes: Int
        /// The time of the oldest.
        public var oldest: Int64

        /// A load.
        public init(direction: DeadLetter.Direction, route: String, messages: Int, bytes: Int, oldest: Int64) {
            self.direction = direction
            self.route = route
            self.messages = messages
            self.bytes = bytes
            self.oldest = oldest
        }
    }

    /// By direction and route, sorted; those without messages are missing.
    public var loads: [Load]
    /// How many dead letters.
    public var deadLetters: Int
    /// How many identities are remembered.
    public var seen: Int
    /// What the store takes on its medium, in bytes; 0 where that means nothing.
    public var size: Int

    /// A status.
    public init(loads: [Load], deadLetters: Int, seen: Int, size: Int) {
        self.loads = loads
        self.deadLetters = deadLetters
        self.seen = seen
        self.size = size
    }

    /// How many messages, both ways.
    public var messages: Int { loads.reduce(0) { $0 + $1.messages } }
    /// What the messages count in bytes, both ways.
    public var bytes: Int { loads.reduce(0) { $0 + $1.bytes } }
}

/// What a process finds in a store when it starts.
public struct StoreInventory: Sendable, Hashable {
    /// The highest sequence of any message; 0 if there is none.
    public var lastSequence: Int64
    /// By direction and route.
    public var loads: [StoreStatus.Load]
    /// The identities that are remembered, oldest first.
    public var seen: [SeenIdentity]
    /// How many dead letters there are.
    public var deadLetters: Int

    /// An inventory.
    public init(lastSequence: Int64, loads: [StoreStatus.Load], seen: [SeenIdentity], deadLetters: Int) {
        self.lastSequence = lastSequence
        self.loads = loads
        self.seen = seen
        self.deadLetters = deadLetters
    }
}
