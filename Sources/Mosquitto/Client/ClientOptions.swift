/// The options of a ``Client``.
public struct ClientOptions: Sendable, Hashable {
    /// The protocol version.
    public var version: ProtocolVersion = .v5
    /// The client identifier. The broker disconnects a client when another one connects with the same identifier.
    public var clientID: String {
        didSet { isClientIDGenerated = false }
    }
    /// Whether the identifier is a generated one. The next run will have another, and cannot resume a session that the
    /// broker keeps for this one.
    public private(set) var isClientIDGenerated: Bool
    /// The user name; a user name in the URL takes precedence.
    public var username: String?
    /// The password.
    public var password: Secret?
    /// The TLS options of `mqtts://`.
    public var tls = TLSOptions()
    /// The will: the broker publishes it when the connection ends without DISCONNECT.
    public var will: Will?
    /// The session that the broker keeps.
    public var session = Session()
    /// The limits of the queue, of the window and of what the broker may send.
    public var limits = Limits()
    /// The times after which the client acts.
    public var timeouts = Timeouts()
    /// Whether and when the client connects again.
    public var reconnect = Reconnect()

    /// Creates options with the defaults.
    ///
    /// - Parameter clientID: Nil generates one with ``randomClientID()``.
    public init(clientID: String? = nil) {
        self.clientID = clientID ?? Self.randomClientID()
        isClientIDGenerated = clientID == nil
    }

    /// A random client identifier: `bridge-` and 12 lower-case letters and digits. 19 bytes; every server accepts 23
    /// (MQTT 3.1.1, section 3.1.3.1).
    public static func randomClientID() -> String {
        let alphabet = Array("abcdefghijklmnopqrstuvwxyz0123456789")
        return "bridge-" + String((0..<12).map { _ in alphabet[Int.random(in: 0..<alphabet.count)] })
    }
}

extension ClientOptions {
    /// The session that the broker keeps for a client.
    public struct Session: Sendable, Hashable {
        /// How long the broker keeps the session, and the messages queued in it, after the connection has ended.
        ///
        /// Zero: a clean session on each connection. MQTT 3.1.1 has no expiry: with any other value the broker keeps
        /// the session as long as it likes.
        public var expiry: Duration = .zero
        /// Whether an earlier run has left a session at the broker: then the client reports
        /// ``ClientEvent/sessionLost`` if the first connection does not find it. Needs an ``expiry``.
        public var isExpected = false
        /// Topic filters that the session of an earlier run may still hold.
        ///
        /// On a connection that finds the session the client unsubscribes from these filters, except from current
        /// subscriptions, before it reports ``ClientEvent/subscribed(_:)``. It repeats this on each such connection
        /// until the broker has answered. Needs an ``expiry``.
        public var formerFilters: [String] = []

        /// A clean session.
        public init() {}
    }

    /// The limits of a client's queue and window, and of what the broker may send.
    public struct Limits: Sendable, Hashable {
        /// The most messages in the queue, those in flight included.
        public var queueCapacity = 10_000
        /// The most bytes in the queue: topics, payloads and properties.
        public var queueBytes = 64 * 1024 * 1024
        /// The most outbound messages at QoS 1 and 2 without an acknowledgement; the broker's receive maximum may lower
        /// it.
        public var inFlightWindow: UInt16 = 100
        /// The most unacknowledged messages that the broker may send (MQTT 5). The client ends the connection if more
        /// messages at QoS 2 are unreleased.
        public var receiveMaximum: UInt16 = 1_000
        /// The largest packet that the broker may send, in bytes (MQTT 5; 3.1.1 has no such limit). The client ends the
        /// connection at a larger packet, and if unreleased messages at QoS 2 exceed 16 times that size.
        public var maximumPacketSize: UInt32 = 16 * 1024 * 1024
        /// The largest payload to deliver, in bytes, user properties included; nil for no limit. Of a larger message
        /// the client delivers only the size (``Message/omittedPayloadSize``), which saves a copy in memory.
        public var largestPayload: Int?

        /// The defaults.
        public init() {}
    }

    /// The times after which a client acts.
    public struct Timeouts: Sendable, Hashable {
        /// The time limit of one attempt to connect: name look-up, TCP, TLS and CONNACK.
        public var connect: Duration = .seconds(10)
        /// How long the connection may be idle before the client sends PINGREQ: 5 s to 65,535 s, or zero for never.
        /// Without PINGRESP the client ends the connection after ``stall`` or another keep-alive, whichever is shorter.
        public var keepAlive: Duration = .seconds(10)
        /// How long the client waits for an answer before it reconnects; zero for no limit.
        ///
        /// Applies to each SUBACK, UNSUBACK, PUBACK and PINGRESP, and to bytes that the peer does not accept. A slow
        /// connection does not count as stalled while bytes move: bytes in flight get extra time, at 10 kB/s. After
        /// 3.5 s without the answer, or half of this time if that is shorter, the client reports
        /// ``ClientEvent/stalled(_:)``.
        public var stall: Duration = .seconds(15)
        /// How long ``Client/hold()`` keeps the connection before the client parks; at most half of ``keepAlive``, or
        /// the broker would end the connection first. Zero parks at once.
        public var hold: Duration = .seconds(5)
        /// How long a cancelled ``Client/run()`` goes on publishing queued messages.
        public var drain: Duration = .seconds(2)

        /// The defaults.
        public init() {}

        /// How long a hold lasts before the client parks.
        var longestHold: Duration {
            keepAlive > .zero ? min(hold, keepAlive / 2) : hold
        }
    }

    /// Whether and when a client connects again.
    public struct Reconnect: Sendable, Hashable {
        /// The action when an attempt fails or a connection ends.
        public enum Persistence: Sendable, Hashable {
            /// Retries for ever.
            case forever
            /// ``Client/run()`` throws if the first connection fails; later the client retries for ever.
            case onceConnected
            /// ``Client/run()`` throws at the first failure.
            case never
        }

        /// Whether the client retries.
        public var persistence = Persistence.forever
        /// The pauses between attempts.
        public var backoff = BackoffPolicy()

        /// The defaults.
        public init() {}
    }
}
