/// Hears what happens on a connection. Every call comes from the client's own thread, in order.
///
/// The thread that calls is the one that reads and writes the socket: hand over and return.
public protocol ClientDelegate: Sendable {
    /// Messages came in: all that one turn of the loop has read, in order.
    ///
    /// Their acknowledgements leave after this has returned ``Intake/acknowledge``. Whoever stores messages before they
    /// are acknowledged does so here. The array is given away: it can be taken apart without a copy.
    func client(received messages: consuming [Message]) -> Intake

    /// The acknowledgements of all that ``client(received:)`` got so far were given to the operating system: a crash of
    /// this process does not take them back. Whether the broker got them is not known.
    ///
    /// Not called where a connection ends before that.
    func clientWroteAcknowledgements()

    /// Something else happened.
    func client(noticed event: ClientEvent)
}

extension ClientDelegate {
    /// Does nothing.
    public func clientWroteAcknowledgements() {}
}

/// What becomes of messages that were handed over.
public enum Intake: Sendable, Hashable {
    /// They are taken: their acknowledgements leave.
    case acknowledge
    /// Nothing of it was kept: the acknowledgements must not leave.
    ///
    /// The connection is cut without another byte, so that the broker keeps the messages in our session and sends them
    /// again; the client then waits, parked, until ``Client/resume()``. libmosquitto has queued the acknowledgements
    /// when the messages are seen (2.0.11, handle_publish.c, packet_mosq.c), and only what is never written stays.
    ///
    /// The broker takes it for a loss of the connection, and publishes the will. What came at QoS 0 is lost, all of it
    /// where there is no ``ClientOptions/sessionExpiry``, and at QoS 2 too: the broker has heard by then that it was
    /// received.
    case refuse
}

/// Why a client has no connection, and makes none until ``Client/resume()``.
public enum ParkReason: Sendable, Hashable {
    /// ``Client/hold()`` lasted longer than ``ClientOptions/holdLimit``, or there was no connection to hold.
    case held
    /// The delegate has refused messages.
    case refused
}

/// What happens on a connection, apart from messages.
public enum ClientEvent: Sendable {
    /// The broker accepted us.
    case connected(ConnectionInfo)
    /// A connection has ended. The error is nil where we ended it: after ``Client/run()`` was cancelled, and to park.
    case disconnected(ClientError?)
    /// An attempt failed, or a connection ended; the next attempt comes after the pause.
    case retrying(ClientError, attempt: Int, pause: Duration)
    /// The broker has answered to all subscriptions, at each new connection.
    case subscribed([SubscriptionResult])
    /// The broker had kept no session, though it had promised to: what it would have collected for us is lost.
    case sessionLost
    /// A message of ours was refused for good.
    case refused(Message, ClientError)
    /// The client is without a connection until ``Client/resume()``.
    case parked(reason: ParkReason)
    /// The client connects again after it was parked.
    case resumed
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
