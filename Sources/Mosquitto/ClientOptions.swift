/// How a ``Client`` connects, and what it limits.
public struct ClientOptions: Sendable {
    /// The version of the protocol.
    public var version: ProtocolVersion = .v5
    /// Who we are to the broker. One client at a time may use an identifier: a second one takes over.
    public var clientID: String {
        didSet { isClientIDGenerated = false }
    }
    /// Whether the identifier was made up here, and nobody has chosen one since: the broker will not know it again the
    /// next time, and a session that it keeps for it is never found again.
    public private(set) var isClientIDGenerated: Bool
    /// How long the broker keeps our session, and what it collects for us, after the connection has ended.
    ///
    /// Zero: not at all, each connection starts anew. In MQTT 3.1.1, which has no such time, anything else asks for a
    /// session that the broker keeps as long as it likes.
    public var sessionExpiry: Duration = .zero
    /// How long silence lasts before we ask whether the broker is alive: 5 s to 18 h, or zero for never.
    /// A broker that does not answer is given up after the same time again.
    public var keepAlive: Duration = .seconds(30)
    /// User name; one in the URL takes precedence.
    public var username: String?
    /// Password.
    public var password: Secret?
    /// How `mqtts://` is secured.
    public var tls = TLSOptions()
    /// What the broker publishes when we vanish.
    public var will: Will?
    /// The most unacknowledged messages that the broker may send us (MQTT 5).
    public var receiveMaximum: UInt16 = 1_000
    /// The largest packet that the broker may send us, in bytes (MQTT 5; 3.1.1 has no such limit).
    public var maximumPacketSize: UInt32 = 16 * 1024 * 1024
    /// The largest payload that is handed over, in bytes; of a larger one only the size is
    /// (``Message/omittedPayloadSize``), so that it is not in memory once more. nil for no limit.
    public var largestPayload: Int?
    /// The most messages of ours at QoS 1 and 2 that wait for an acknowledgement; less if the broker says so.
    public var inFlightWindow: UInt16 = 100
    /// The most messages that wait to be published, those in flight included.
    public var queueCapacity = 10_000
    /// The most bytes of topic and payload that wait to be published.
    public var queueBytes = 64 * 1024 * 1024
    /// The limit for one attempt: name, TCP, TLS and CONNACK.
    public var connectTimeout: Duration = .seconds(10)
    /// How long ``Client/run()`` goes on, when cancelled, to publish what waits.
    public var drainLimit: Duration = .seconds(2)
    /// How long ``Client/hold()`` keeps the connection before the client parks; half of ``keepAlive`` where that is
    /// less, or the broker would be the one that gives up. Zero parks at once.
    public var holdLimit: Duration = .seconds(5)
    /// What happens when an attempt fails or a connection ends.
    public var persistence = Persistence.forever
    /// How long to wait between attempts.
    public var backoff = BackoffPolicy()

    /// What happens when an attempt fails or a connection ends.
    public enum Persistence: Sendable, Hashable {
        /// It is tried again, for ever.
        case forever
        /// The first connection must succeed, or ``Client/run()`` throws; later ones are tried for ever.
        case onceConnected
        /// ``Client/run()`` throws.
        case never
    }

    /// Options with these defaults.
    ///
    /// - Parameter clientID: Nil makes one up, as ``randomClientID()`` does.
    public init(clientID: String? = nil) {
        self.clientID = clientID ?? Self.randomClientID()
        isClientIDGenerated = clientID == nil
    }

    /// How long a hold lasts before the client parks.
    var longestHold: Duration {
        keepAlive > .zero ? min(holdLimit, keepAlive / 2) : holdLimit
    }

    /// An identifier that nobody else has: `mqtt-bridge-` and 12 letters and digits. Short enough for every broker.
    public static func randomClientID() -> String {
        let alphabet = Array("abcdefghijklmnopqrstuvwxyz0123456789")
        return "bridge-" + String((0..<12).map { _ in alphabet[Int.random(in: 0..<alphabet.count)] })
    }
}

/// How long to wait between attempts to connect.
///
/// Each pause is drawn between the shortest one and three times the pause before, up to the longest one
/// ("decorrelated jitter"), so that many clients do not come back at the same time.
public struct BackoffPolicy: Sendable, Hashable {
    /// The shortest pause.
    public var shortest: Duration = .milliseconds(100)
    /// The longest pause.
    public var longest: Duration = .seconds(30)
    /// The longest pause where the broker is on this machine: an attempt costs next to nothing there.
    public var longestLocal: Duration = .milliseconds(700)
    /// The shortest pause after a refused login, which counts towards bans and lock-outs. The longest is 10 times it.
    public var afterRefusedLogin: Duration = .seconds(15)
    /// The shortest pause once a broker has sent the same illegal message again. The longest is 10 times it.
    public var afterPoison: Duration = .seconds(10)

    /// The defaults.
    public init() {}
}
