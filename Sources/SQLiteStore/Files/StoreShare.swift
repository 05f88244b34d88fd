/// The messages of a store for one broker, route or listener.
public struct StoreShare: Sendable, Hashable {
    /// The owner of messages.
    public enum Owner: Sendable, Hashable {
        /// A broker: its inbound and outbound messages.
        case broker(String)
        /// A route: its inbound and outbound messages.
        case route(String)
        /// A listener: the inbound messages that it has not finished.
        case listener(String)
    }

    /// The owner of the messages.
    public var owner: Owner
    /// The number of messages. A message counts for its broker, its route, and each listener that it waits for.
    public var messages: Int
    /// The sum of the sizes that count against limits, in bytes.
    public var bytes: Int

    /// Creates a share.
    public init(owner: Owner, messages: Int, bytes: Int) {
        self.owner = owner
        self.messages = messages
        self.bytes = bytes
    }
}
