/// Receives the messages and events of clients. A client makes all calls on its own thread, in order, and says which
/// client it is. ``MessageStream`` is a delegate for consumers that prefer a sequence.
///
/// That thread also reads and writes the socket: hand messages over and return.
public protocol ClientDelegate: Sendable {
    /// Messages arrived. Each call carries messages that the client read in one turn of its loop, in order.
    ///
    /// The client writes their acknowledgements after this call has returned ``ReceiveDecision/acknowledge``: store
    /// messages here to have them stored before they are acknowledged. The array is consumed, so that it can be taken
    /// apart without a copy.
    func client(_ client: Client, received messages: consuming [Message]) -> ReceiveDecision

    /// The operating system has taken the acknowledgements of all messages that ``client(_:received:)`` has accepted: a
    /// crash of this process does not revoke them. Whether the broker received them is unknown.
    ///
    /// Not called if the connection ends before.
    func clientWroteAcknowledgements(_ client: Client)

    /// An event other than a message.
    func client(_ client: Client, noticed event: ClientEvent)

    /// ``Client/run()`` is about to end: the last call.
    func clientEnded(_ client: Client)
}

extension ClientDelegate {
    /// Does nothing.
    public func clientWroteAcknowledgements(_ client: Client) {}

    /// Does nothing.
    public func clientEnded(_ client: Client) {}
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
    /// broker already has PUBREC; and all messages without a ``ClientOptions/Session/expiry``.
    case refuse
}

/// Why a client is parked: it stays disconnected until ``Client/resume()``.
public enum ParkReason: Sendable, Hashable {
    /// ``Client/hold()`` lasted longer than ``ClientOptions/Timeouts/hold``, or there was no connection to hold.
    case held
    /// The delegate has refused messages.
    case refused
}
