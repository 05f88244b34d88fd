/// Where the unfinished messages of a route are kept.
public enum Durability: String, Sendable, Hashable, CaseIterable {
    /// In the memory of this process; lost when the process ends.
    case memory
    /// In the store. Inbound: stored before the message is acknowledged, and kept until every durable listener has
    /// finished. Outbound: stored before the receipt reports the event as stored, and kept until the broker has
    /// acknowledged it.
    case disk
}

/// The capacity of a store, or of one route in it, for one direction.
public struct StoreLimits: Sendable, Hashable {
    /// The maximum number of messages; at least 1.
    public var messages: Int
    /// The maximum size in bytes: payloads, topics, names and 100 bytes per message.
    public var bytes: Int

    /// Limits of both kinds; the first one reached applies.
    public init(messages: Int, bytes: Int) {
        self.messages = messages
        self.bytes = bytes
    }
}

/// What happens when a store, or a route in it, is full. Every discarded message is counted and reported.
public enum StorePolicy: String, Sendable, Hashable, CaseIterable {
    /// Nothing is lost. Inbound: the bridge stops reading, and after a while disconnects so that the broker queues
    /// messages for its session; it resumes when a quarter of the limit is free. Outbound: `emitWhenRoom` waits, `emit` is
    /// refused.
    case block
    /// The oldest messages of the same direction are discarded; only those of the same route if the route is full.
    case dropOldest = "drop-oldest"
    /// The new message is discarded.
    case dropNewest = "drop-newest"
    /// Outbound: refused with an error, even if `emitWhenRoom` could wait. Inbound: as ``block``.
    case reject
}

/// How a bridge uses its store.
public struct StoreOptions: Sendable, Hashable {
    /// The limits of each direction. One batch that was read before the bridge could stop may exceed them.
    public var limits = StoreLimits(messages: 1_000_000, bytes: 1024 * 1024 * 1024)
    /// What happens when ``limits`` are reached.
    public var policy = StorePolicy.block
    /// How long the identity of an inbound message is remembered, to recognise a second copy. Without a store
    /// identities are kept in memory only, and forgotten when the process ends.
    public var dedupeSpan: Duration = .seconds(3_600)
    /// The maximum number of identities that are remembered.
    public var dedupeCount = 100_000
    /// The maximum number of dead letters; beyond it the oldest are discarded, counted and reported.
    public var deadLetters = 10_000
    /// The maximum size of all dead letters in bytes: payloads, topics, names, errors and 100 bytes per dead letter;
    /// beyond it the oldest are discarded, counted and reported.
    public var deadLetterBytes = 64 * 1024 * 1024

    /// The defaults.
    public init() {}
}
