/// Where the messages of a route are while they are not done with.
public enum Durability: String, Sendable, Hashable, CaseIterable {
    /// In the memory of this process: its end is the end of them.
    case memory
    /// In the store. Inbound: stored before the broker hears that we have it, until every named listener has finished.
    /// Outbound: stored before a receipt says so, until the broker has taken it.
    case disk
}

/// How much a store, or a route in it, may hold of one direction.
public struct StoreLimits: Sendable, Hashable {
    /// The most messages, 1 or more.
    public var messages: Int
    /// The most bytes: payloads, topics, names and 100 bytes for each message.
    public var bytes: Int

    /// Limits.
    public init(messages: Int, bytes: Int) {
        self.messages = messages
        self.bytes = bytes
    }
}

/// What happens when a store, or a route in it, is full. Everything that is not kept is counted and told.
public enum StorePolicy: String, Sendable, Hashable, CaseIterable {
    /// Nothing is lost. Inbound: the bridge stops reading, and after a while leaves the broker, which goes on to collect
    /// for its session, until a quarter is free again. Outbound: `send` waits, `emit` is refused.
    case block
    /// The oldest messages of the same direction make room; of the same route, if it is the route that is full.
    case dropOldest = "drop-oldest"
    /// The new message is not kept.
    case dropNewest = "drop-newest"
    /// Outbound: refused with an error, also where `send` would wait. Inbound: as ``block``.
    case reject
}

/// How a bridge uses its store.
public struct StoreOptions: Sendable, Hashable {
    /// The most of each direction. May be exceeded by one batch that was read before the bridge could stop.
    public var limits = StoreLimits(messages: 1_000_000, bytes: 1024 * 1024 * 1024)
    /// What happens when that much is there.
    public var policy = StorePolicy.block
    /// How long the identity of a message is remembered, to recognise a second copy.
    public var dedupeSpan: Duration = .seconds(3_600)
    /// How many identities are remembered.
    public var dedupeCount = 100_000
    /// How many dead letters are kept; beyond that the oldest go.
    public var deadLetters = 10_000

    /// The defaults.
    public init() {}
}
