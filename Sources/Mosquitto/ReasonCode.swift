/// The outcome of an operation as a broker states it (MQTT 5, section 2.4).
///
/// Answers in MQTT 3.1.1 are given as the code of MQTT 5 that means the same.
public struct ReasonCode: RawRepresentable, Sendable, Hashable {
    /// The byte on the wire.
    public let rawValue: UInt8

    /// The code of that byte.
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// Whether it is not a refusal: below 0x80.
    public var isSuccess: Bool { rawValue < 0x80 }

    /// Done.
    public static let success = ReasonCode(rawValue: 0x00)
    /// A publish was accepted; nobody is subscribed.
    public static let noMatchingSubscribers = ReasonCode(rawValue: 0x10)
    /// Refused without a reason.
    public static let unspecifiedError = ReasonCode(rawValue: 0x80)
    /// A packet does not follow the specification.
    public static let malformedPacket = ReasonCode(rawValue: 0x81)
    /// A packet came that should not have come.
    public static let protocolError = ReasonCode(rawValue: 0x82)
    /// Valid, but this broker does not take it.
    public static let implementationSpecificError = ReasonCode(rawValue: 0x83)
    /// The broker does not speak this version of MQTT.
    public static let unsupportedProtocolVersion = ReasonCode(rawValue: 0x84)
    /// The broker does not allow this client identifier.
    public static let clientIdentifierNotValid = ReasonCode(rawValue: 0x85)
    /// The broker does not know this user name with this password.
    public static let badUserNameOrPassword = ReasonCode(rawValue: 0x86)
    /// The client may not do that.
    public static let notAuthorized = ReasonCode(rawValue: 0x87)
    /// The broker is not available.
    public static let serverUnavailable = ReasonCode(rawValue: 0x88)
    /// The broker is busy.
    public static let serverBusy = ReasonCode(rawValue: 0x89)
    /// The client is banned.
    public static let banned = ReasonCode(rawValue: 0x8A)
    /// The broker shuts down.
    public static let serverShuttingDown = ReasonCode(rawValue: 0x8B)
    /// Nothing came for one and a half times the keep-alive.
    public static let keepAliveTimeout = ReasonCode(rawValue: 0x8D)
    /// Another connection uses the same client identifier.
    public static let sessionTakenOver = ReasonCode(rawValue: 0x8E)
    /// The topic filter is not allowed.
    public static let topicFilterInvalid = ReasonCode(rawValue: 0x8F)
    /// The topic is not allowed.
    public static let topicNameInvalid = ReasonCode(rawValue: 0x90)
    /// More unacknowledged messages than agreed.
    public static let receiveMaximumExceeded = ReasonCode(rawValue: 0x93)
    /// The packet is larger than agreed.
    public static let packetTooLarge = ReasonCode(rawValue: 0x95)
    /// Too many messages in too short a time.
    public static let messageRateTooHigh = ReasonCode(rawValue: 0x96)
    /// A limit of the broker's is reached.
    public static let quotaExceeded = ReasonCode(rawValue: 0x97)
    /// The connection was closed by an administrator.
    public static let administrativeAction = ReasonCode(rawValue: 0x98)
    /// The payload is not what it claims to be.
    public static let payloadFormatInvalid = ReasonCode(rawValue: 0x99)
    /// The broker does not keep messages.
    public static let retainNotSupported = ReasonCode(rawValue: 0x9A)
    /// The broker does not offer this QoS.
    public static let qosNotSupported = ReasonCode(rawValue: 0x9B)

    private static let names: [UInt8: String] = [
        0x00: "success", 0x01: "granted QoS 1", 0x02: "granted QoS 2", 0x04: "disconnect with will message",
        0x10: "no matching subscribers", 0x11: "no subscription existed", 0x80: "unspecified error",
        0x81: "malformed packet", 0x82: "protocol error", 0x83: "implementation specific error",
        0x84: "unsupported protocol version", 0x85: "client identifier not valid",
        0x86: "bad user name or password", 0x87: "not authorized", 0x88: "server unavailable", 0x89: "server busy",
        0x8A: "banned", 0x8B: "server shutting down", 0x8C: "bad authentication method", 0x8D: "keep alive timeout",
        0x8E: "session taken over", 0x8F: "topic filter invalid", 0x90: "topic name invalid",
        0x91: "packet identifier in use", 0x92: "packet identifier not found", 0x93: "receive maximum exceeded",
        0x94: "topic alias invalid", 0x95: "packet too large", 0x96: "message rate too high",
        0x97: "quota exceeded", 0x98: "administrative action", 0x99: "payload format invalid",
        0x9A: "retain not supported", 0x9B: "QoS not supported", 0x9C: "use another server", 0x9D: "server moved",
        0x9E: "shared subscriptions not supported", 0x9F: "connection rate exceeded", 0xA0: "maximum connect time",
        0xA1: "subscription identifiers not supported", 0xA2: "wildcard subscriptions not supported",
    ]
}

extension ReasonCode: CustomStringConvertible {
    /// The name that the specification gives it, and the byte.
    public var description: String {
        let hex = String(rawValue, radix: 16, uppercase: true)
        return "\(Self.names[rawValue] ?? "unknown reason") (0x\(rawValue < 16 ? "0" : "")\(hex))"
    }
}

extension ReasonCode {
    /// The code that means what a return code of CONNACK meant in MQTT 3.1.1 (section 3.2.2.3).
    init(connectReturnCode code: UInt8) {
        switch code {
        case 1: self = .unsupportedProtocolVersion
        case 2: self = .clientIdentifierNotValid
        case 3: self = .serverUnavailable
        case 4: self = .badUserNameOrPassword
        case 5: self = .notAuthorized
        default: self.init(rawValue: code)
        }
    }
}
