/// Hears what happens on a connection. Every call comes from the client's own thread, in order.
///
/// The thread that calls is the one that reads and writes the socket: hand over and return.
public protocol ClientDelegate: Sendable {
    /// Messages came in: all that one turn of the loop has read, in order.
    ///
    /// Their acknowledgements leave after this has returned. Whoever stores messages before they are acknowledged
    /// does so here.
    func client(received messages: [Message])

    /// Something else happened.
    func client(noticed event: ClientEvent)
}

/// What happens on a connection, apart from messages.
public enum ClientEvent: Sendable {
    /// The broker accepted us.
    case connected(ConnectionInfo)
    /// A connection has ended. After ``Client/run()`` was cancelled the error is nil.
    case disconnected(ClientError?)
    /// An attempt failed, or a connection ended; the next attempt comes after the pause.
    case retrying(ClientError, attempt: Int, pause: Duration)
    /// The broker has answered to all subscriptions, at each new connection.
    case subscribed([SubscriptionResult])
    /// The broker had kept no session, though it had promised to: what it would have collected for us is lost.
    case sessionLost
    /// A message of ours was refused for good.
    case refused(Message, ClientError)
    /// The connection is less safe than it could be.
    case insecure(String)
}

/// What a broker offers on a connection.
public struct ConnectionInfo: Sendable, Hashable {
    /// Where it is.
    public let url: BrokerURL
    /// The version spoken.
    public let version: ProtocolVersion
    /// Whether it had kept our session.
    public let sessionPresent: Bool
    /// The most messages that we may have in flight.
    public let inFlightWindow: Int
    /// The largest packet that it takes, in bytes; nil for no limit of its own.
    public let maximumPacketSize: Int?
    /// The highest QoS that it takes.
    public let maximumQoS: QoS
    /// Whether it keeps messages.
    public let retainAvailable: Bool
    /// Whether it knows wildcards.
    public let wildcardsAvailable: Bool
}
