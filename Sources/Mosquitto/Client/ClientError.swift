/// A failure between this client and a broker: the operation, the cause and the advice.
///
/// Never holds a payload or a password. Text from the broker is escaped and truncated.
public struct ClientError: Error, Sendable, Hashable {
    /// The kind of failure. Later versions may add kinds: switch with a default.
    public struct Code: Sendable, Hashable, CustomStringConvertible {
        private enum Kind: String {
            case refused = "connection refused"
            case unreachable
            case timedOut = "timed out"
            case nameUnknown = "host name unknown"
            case nameLookupFailed = "host name look-up failed"
            case tlsUntrusted = "certificate not trusted"
            case tlsExpired = "certificate expired or not yet valid"
            case tlsHostName = "certificate is for another host"
            case tlsClientCertificate = "client certificate missing or refused"
            case tlsConfiguration = "TLS configuration"
            case tlsHandshake = "TLS handshake failed"
            case badCredentials = "bad user name or password"
            case notAuthorized = "not authorised"
            case rejected = "rejected by the broker"
            case takenOver = "client identifier used by another client"
            case protocolError = "protocol error"
            case illegalTopic = "message with an illegal topic"
            case connectionLost = "connection lost"
            case closedByBroker = "the broker closes the connection on this packet"
            case keepAlive = "broker does not answer"
            case stalled
            case invalidTopic = "invalid topic"
            case invalidProperty = "invalid property"
            case tooLarge = "too large"
            case queueFull = "queue full"
            case notRunning = "client not running"
            case secret = "secret not available"
            case unsupported = "not supported"
            case invalidURL = "invalid broker URL"
            case library = "libmosquitto"
        }

        private let kind: Kind

        /// No process listens at the address.
        public static let refused = Code(kind: .refused)
        /// The address cannot be reached.
        public static let unreachable = Code(kind: .unreachable)
        /// No answer within the time limit.
        public static let timedOut = Code(kind: .timedOut)
        /// The host name does not exist.
        public static let nameUnknown = Code(kind: .nameUnknown)
        /// The name service did not answer.
        public static let nameLookupFailed = Code(kind: .nameLookupFailed)
        /// The chain of the broker's certificate does not end at a trusted authority.
        public static let tlsUntrusted = Code(kind: .tlsUntrusted)
        /// A certificate of the chain is expired or not yet valid.
        public static let tlsExpired = Code(kind: .tlsExpired)
        /// The broker's certificate does not name the host of the URL.
        public static let tlsHostName = Code(kind: .tlsHostName)
        /// The broker demands a client certificate, or refuses the one it got.
        public static let tlsClientCertificate = Code(kind: .tlsClientCertificate)
        /// A local TLS file or option is wrong.
        public static let tlsConfiguration = Code(kind: .tlsConfiguration)
        /// Any other TLS failure.
        public static let tlsHandshake = Code(kind: .tlsHandshake)
        /// The broker refused the user name or the password.
        public static let badCredentials = Code(kind: .badCredentials)
        /// The broker does not permit the operation.
        public static let notAuthorized = Code(kind: .notAuthorized)
        /// The broker refused the connection or ended it, with a reason.
        public static let rejected = Code(kind: .rejected)
        /// Another client connected with the same client identifier.
        public static let takenOver = Code(kind: .takenOver)
        /// A packet violates the specification.
        public static let protocolError = Code(kind: .protocolError)
        /// The broker sent a message with a topic, or another string, that libmosquitto rejects.
        public static let illegalTopic = Code(kind: .illegalTopic)
        /// The connection ended.
        public static let connectionLost = Code(kind: .connectionLost)
        /// The broker repeatedly closes the connection when it receives this message or subscription.
        public static let closedByBroker = Code(kind: .closedByBroker)
        /// The broker did not answer PINGREQ.
        public static let keepAlive = Code(kind: .keepAlive)
        /// An answer from the broker did not come within ``ClientOptions/Timeouts/stall``.
        public static let stalled = Code(kind: .stalled)
        /// The topic or topic filter is malformed.
        public static let invalidTopic = Code(kind: .invalidTopic)
        /// A property of the message cannot be sent.
        public static let invalidProperty = Code(kind: .invalidProperty)
        /// The message is larger than the broker, or MQTT, permits.
        public static let tooLarge = Code(kind: .tooLarge)
        /// The queue has reached ``ClientOptions/Limits/queueCapacity`` or ``ClientOptions/Limits/queueBytes``.
        public static let queueFull = Code(kind: .queueFull)
        /// ``Client/run()`` was cancelled or has ended. Before ``Client/run()``, the client queues messages and
        /// subscriptions.
        public static let notRunning = Code(kind: .notRunning)
        /// A password or passphrase cannot be read.
        public static let secret = Code(kind: .secret)
        /// The installed library or the broker lacks the feature.
        public static let unsupported = Code(kind: .unsupported)
        /// The text is not a broker URL.
        public static let invalidURL = Code(kind: .invalidURL)
        /// A libmosquitto error without a code of its own.
        public static let library = Code(kind: .library)

        /// The kind in words.
        public var description: String { kind.rawValue }
    }

    /// The kind of failure.
    public let code: Code
    /// The operation, with its values.
    public let operation: String
    /// The cause; may be empty.
    public let detail: String
    /// What the user can do; may be empty.
    public let advice: String
    /// The reason code from the broker, if it sent one.
    public let reason: ReasonCode?

    /// Creates an error.
    public init(
        _ code: Code,
        operation: String,
        detail: String = "",
        advice: String = "",
        reason: ReasonCode? = nil
    ) {
        self.code = code
        self.operation = operation
        self.detail = detail
        self.advice = advice
        self.reason = reason
    }

    /// Whether the same operation may succeed later, unchanged.
    public var isRetriable: Bool {
        switch code {
        case .takenOver, .tlsConfiguration, .invalidTopic, .invalidProperty, .tooLarge, .notRunning, .secret,
            .unsupported, .invalidURL, .closedByBroker:
            false
        case .rejected: reason != .unsupportedProtocolVersion && reason != .clientIdentifierNotValid
        default: true
        }
    }
}

extension ClientError: CustomStringConvertible {
    /// One line for users: `connect to mqtt://127.0.0.1:1883: connection refused. Is the broker running?`
    public var description: String {
        var text = "\(operation): \(code)"
        if let reason { text += ": \(reason)" }
        if !detail.isEmpty { text += ": \(detail)" }
        return advice.isEmpty ? text : "\(text). \(advice)"
    }
}

/// Makes text from the network safe to log: escapes control characters, and truncates at 200 characters.
package func escapedForLog(_ text: String, limit: Int = 200) -> String {
    var result = ""
    var count = 0
    for scalar in text.unicodeScalars {
        guard count < limit else { return result + "…" }
        count += 1
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned:
            result += "\\u{\(String(scalar.value, radix: 16))}"
        default:
            result.unicodeScalars.append(scalar)
        }
    }
    return result
}
