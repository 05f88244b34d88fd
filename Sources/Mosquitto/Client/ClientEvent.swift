/// An event on a connection other than a message.
public enum ClientEvent: Sendable, Hashable {
    /// The broker accepted the connection.
    case connected(ConnectionInfo)
    /// A connection ended. The error is nil if the client ended it: ``Client/run()`` was cancelled, or the client
    /// parks.
    case disconnected(ClientError?)
    /// An attempt failed, or a connection ended; the next attempt follows after the pause.
    case retrying(ClientError, attempt: Int, pause: Duration)
    /// The broker has answered all subscriptions; once on each connection, and after each change on it.
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

extension ClientEvent: CustomStringConvertible {
    /// One line for people. Never a payload or a password.
    public var description: String {
        switch self {
        case .connected(let info): "connected to \(info.url) (MQTT \(info.version))"
        case .disconnected(let error): error.map { "disconnected: \($0)" } ?? "disconnected"
        case .retrying(let error, let attempt, let pause): "attempt \(attempt) failed, next one in \(pause): \(error)"
        case .subscribed(let results):
            "subscribed: \(results.count) topic filters, \(results.count { !$0.reason.isSuccess }) refused"
        case .sessionLost: "session lost"
        case .refused(let message, let error, _): "message to \"\(escapedForLog(message.topic))\" refused: \(error)"
        case .parked(let reason): "parked (\(reason))"
        case .resumed: "resumed"
        case .stalled(let stall): "stalled: \(stall)"
        case .recovered(let hop, let after): "recovered: \(hop) after \(after)"
        case .degraded(let text): "degraded: \(text)"
        case .insecure(let text): "insecure: \(text)"
        }
    }
}
