/// Receives the messages and events of a client. The client makes all calls on its own thread, in order.
///
/// That thread also reads and writes the socket: hand messages over and return.
public protocol ClientDelegate: Sendable {
    /// Messages arrived. Each call carries messages that the client read in one turn of its loop, in order.
    ///
    /// The client writes their acknowledgements after this call has returned ``ReceiveDecision/acknowledge``: store
    /// messages here to have them stored before they are acknowledged. The array is consumed, so that it can be taken
    /// apart without a copy.
    func client(received messages: consuming [Message]) -> ReceiveDecision

    /// The operating system has taken the acknowledgements of all messages that ``client(received:)`` has accepted: a
    /// crash of this process does not revoke them. Whether the broker received them is unknown.
    ///
    /// Not called if the connection ends before.
    func clientWroteAcknowledgements()

    /// An event other than a message.
    func client(noticed event: ClientEvent)
}

extension ClientDelegate {
    /// Does nothing.
    public func clientWroteAcknowledgements() {}
}

/// The decision on messages that the delegate received.
public enum ReceiveDecision: Sendable, Hashable {
    /// The delegate has taken the messages: the client acknowledges them.
    case acknowledge
    /// The delegate has kept none of the messages: the client must not acknowledge them.
    ///
    /// The client cuts the connection without writing another byte, so that the broker keeps the messages in the
    /// session and sends them again. It then parks until ``Client/resume()``. libmosquitto has already queued the
    /// acknowledgements when it hands the messages over (2.0.11, handle_publish.c, packet_mosq.c), so only bytes that
    /// are never written can be withheld.
    ///
    /// To the broker this is a lost connection: it publishes the will. Lost are messages at QoS 0; at QoS 2, since the
    /// broker already has PUBREC; and all messages without a ``ClientOptions/sessionExpiry``.
    case refuse
}

/// Why a client is parked: it stays disconnected until ``Client/resume()``.
public enum ParkReason: Sendable, Hashable {
    /// ``Client/hold()`` lasted longer than ``ClientOptions/holdLimit``, or there was no connection to hold.
    case held
    /// The delegate has refused messages.
    case refused
}

/// An event on a connection other than a message.
public enum ClientEvent: Sendable {
    /// The broker accepted the connection.
    case connected(ConnectionInfo)
    /// A connection ended. The error is nil if the client ended it: ``Client/run()`` was cancelled, or the client
    /// parks.
    case disconnected(ClientError?)
    /// An attempt failed, or a connection ended; the next attempt follows after the pause.
    case retrying(ClientError, attempt: Int, pause: Duration)
    /// The broker has answered all subscriptions; once on each connection.
    case subscribed([SubscriptionResult])
    /// The broker no longer has the session that it had agreed to keep: messages queued in it are lost.
    case sessionLost
    /// The broker permanently refused an outbound message. `isAnswered` says whether its publisher learns of it too, by
    /// a completion or an error.
    case refused(Message, ClientError, isAnswered: Bool)
    /// The client stays disconnected until ``Client/resume()``.
    case parked(reason: ParkReason)
    /// The client connects again after it was parked.
    case resumed
    /// An answer that the broker owes is late. Reported once until the answer comes, which may be on a later
    /// connection.
    case stalled(Stall)
    /// The answer reported in ``stalled(_:)`` has come; `after` is how long it was missing.
    case recovered(Stall.Hop, after: Duration)
    /// The client does less than requested, because the broker lacks a feature; the text names it.
    case degraded(String)
    /// The connection is less secure than it could be; the text names the reason.
    case insecure(String)
}

/// The features and limits that the broker announced in CONNACK.
public struct ConnectionInfo: Sendable, Hashable {
    /// The URL of the broker.
    public let url: BrokerURL
    /// The protocol version of the connection.
    public let version: ProtocolVersion
    /// Session Present: whether the broker had kept the session.
    public let sessionPresent: Bool
    /// The most unacknowledged messages in flight: the smaller of ``ClientOptions/inFlightWindow`` and the broker's
    /// receive maximum.
    public let inFlightWindow: Int
    /// The largest packet that the broker accepts, in bytes; nil if it announced no limit.
    public let maximumPacketSize: Int?
    /// The highest QoS that the broker accepts.
    public let maximumQoS: QoS
    /// Whether the broker supports retained messages.
    public let retainAvailable: Bool
    /// Whether the broker supports wildcard subscriptions.
    public let wildcardsAvailable: Bool
    /// Whether the broker supports subscription identifiers. Without meaning in MQTT 3.1.1.
    public let subscriptionIdentifiersAvailable: Bool

    /// The defaults are those of a broker that announces no limits.
    package init(
        url: BrokerURL,
        version: ProtocolVersion,
        sessionPresent: Bool,
        inFlightWindow: Int,
        maximumPacketSize: Int? = nil,
        maximumQoS: QoS = .exactlyOnce,
        retainAvailable: Bool = true,
        wildcardsAvailable: Bool = true,
        subscriptionIdentifiersAvailable: Bool = true
    ) {
        self.url = url
        self.version = version
        self.sessionPresent = sessionPresent
        self.inFlightWindow = inFlightWindow
        self.maximumPacketSize = maximumPacketSize
        self.maximumQoS = maximumQoS
        self.retainAvailable = retainAvailable
        self.wildcardsAvailable = wildcardsAvailable
        self.subscriptionIdentifiersAvailable = subscriptionIdentifiersAvailable
    }
}
