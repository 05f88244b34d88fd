/// The pauses between attempts to connect.
///
/// The client draws each pause between the shortest one and three times the previous one, up to the longest one
/// ("decorrelated jitter"), so that clients do not reconnect at the same time.
public struct BackoffPolicy: Sendable, Hashable {
    /// The shortest pause.
    public var shortest: Duration = .milliseconds(100)
    /// The longest pause.
    public var longest: Duration = .seconds(30)
    /// The longest pause if all brokers are on this machine: an attempt costs little there.
    public var longestLocal: Duration = .milliseconds(700)
    /// The shortest pause after a refused login, which may count towards a ban or lock-out. The longest is 10 times as
    /// long.
    public var afterRefusedLogin: Duration = .seconds(15)
    /// The shortest pause after five connections in a row that ended within 3 s and without a reason, wherever the
    /// broker is. The longest is 60 times as long.
    public var afterShortLives: Duration = .seconds(1)
    /// The shortest pause after a broker has repeated an illegal message. The longest is 10 times as long.
    public var afterIllegalTopic: Duration = .seconds(10)

    /// The defaults.
    public init() {}
}
