/// Limits of a bridge.
public struct BridgeOptions: Sendable, Hashable {
    /// The hop limit: a message that has passed this many bridges is not published again. Also the number of times that
    /// content without an identity may alternate between two source brokers before it counts as a loop.
    public var maximumHops = 8
    /// How many times per second the same content without an identity may be forwarded to one broker before it counts
    /// as a loop.
    public var repeatLimit = 64
    /// The largest inbound payload, in bytes. A message with a larger payload is acknowledged, counted and dropped; on
    /// a durable route it leaves a dead letter without a payload.
    public var maximumPayload = 1024 * 1024
    /// How the bridge uses its store. ``StoreOptions/dedupeSpan`` and ``StoreOptions/dedupeCount`` apply without a
    /// store as well.
    public var store = StoreOptions()

    /// The defaults.
    public init() {}
}
