/// The reason code of a broker's answer (MQTT 5, section 2.4).
///
/// Return codes of MQTT 3.1.1 are mapped to their MQTT 5 equivalents.
public struct ReasonCode: RawRepresentable, Sendable, Hashable {
    /// The byte on the wire.
    public let rawValue: UInt8

    /// Creates the code for a byte.
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// Whether the code is below 0x80: no refusal.
    public var isSuccess: Bool { rawValue < 0x80 }

    /// Success.
    public static let success = ReasonCode(rawValue: 0x00)
    /// The broker accepted the message; there are no subscribers.
    public static let noMatchingSubscribers = ReasonCode(rawValue: 0x10)
    /// Refused without a reason.
    public static let unspecifiedError = ReasonCode(rawValue: 0x80)
    /// A packet does not conform to the specification.
    public static let malformedPacket = ReasonCode(rawValue: 0x81)
    /// An unexpected or out-of-order packet.
    public static let protocolError = ReasonCode(rawValue: 0x82)
    /// The packet is valid, but the broker does not accept it.
    public static let implementationSpecificError = ReasonCode(rawValue: 0x83)
    /// The broker does not support this protocol version.
    public static let unsupportedProtocolVersion = ReasonCode(rawValue: 0x84)
    /// The broker does not allow this client identifier.
    public static let clientIdentifierNotValid = ReasonCode(rawValue: 0x85)
    /// The broker refused the user name or the password.
    public static let badUserNameOrPassword = ReasonCode(rawValue: 0x86)
    /// The client lacks the permission.
    public static let notAuthorized = ReasonCode(rawValue: 0x87)
    /// The broker is not available.
    public static let serverUnavailable = ReasonCode(rawValue: 0x88)
    /// The broker is busy.
    public static let serverBusy = ReasonCode(rawValue: 0x89)
    /// The client is banned.
    public static let banned = ReasonCode(rawValue: 0x8A)
    /// The broker is shutting down.
    public static let serverShuttingDown = ReasonCode(rawValue: 0x8B)
    /// The broker received nothing for one and a half times the keep-alive.
    public static let keepAliveTimeout = ReasonCode(rawValue: 0x8D)
    /// Another connection uses the same client identifier.
    public static let sessionTakenOver = ReasonCode(rawValue: 0x8E)
    /// The topic filter is not allowed.
    public static let topicFilterInvalid = ReasonCode(rawValue: 0x8F)
    /// The topic is not allowed.
    public static let topicNameInvalid = ReasonCode(rawValue: 0x90)
    /// More unacknowledged messages than the receive maximum.
    public static let receiveMaximumExceeded = ReasonCode(rawValue: 0x93)
    /// The packet is larger than the maximum packet size.
    public static let packetTooLarge = ReasonCode(rawValue: 0x95)
    /// The rate of messages is too high.
    public static let messageRateTooHigh = ReasonCode(rawValue: 0x96)
    /// A quota of the broker is exceeded.
    public static let quotaExceeded = ReasonCode(rawValue: 0x97)
    /// An administrator closed the connection.
    public static let administrativeAction = ReasonCode(rawValue: 0x98)
    /// The payload does not match its format indicator.
    public static let payloadFormatInvalid = ReasonCode(rawValue: 0x99)
    /// The broker does not support retained messages.
    public static let retainNotSupported = ReasonCode(rawValue: 0x9A)
    /// The broker does not support this QoS.
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
    /// The name in the specification, and the byte.
    public var description: String {
        let hex = String(rawValue, radix: 16, uppercase: true)
        return "\(Self.names[rawValue] ?? "unknown reason") (0x\(rawValue < 16 ? "0" : "")\(hex))"
    }
}

extension ReasonCode {
    /// Maps a CONNACK return code of MQTT 3.1.1 (section 3.2.2.3).
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
