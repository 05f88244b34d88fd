/// What can go wrong between this client and a broker: what was tried, why it failed, what to do.
///
/// Never holds a payload or a password. Text that a broker supplied is escaped and cut.
public struct ClientError: Error, Sendable, Hashable {
    /// The kind of failure. More may come: switch with a default.
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
            case poisonTopic = "message with an illegal topic"
            case connectionLost = "connection lost"
            case keepAlive = "broker does not answer"
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

        /// Nobody listens at that address.
        public static let refused = Code(kind: .refused)
        /// The address cannot be reached.
        public static let unreachable = Code(kind: .unreachable)
        /// No answer in time.
        public static let timedOut = Code(kind: .timedOut)
        /// There is no such host.
        public static let nameUnknown = Code(kind: .nameUnknown)
        /// The name service did not answer.
        public static let nameLookupFailed = Code(kind: .nameLookupFailed)
        /// The chain of the broker's certificate does not end at a trusted authority.
        public static let tlsUntrusted = Code(kind: .tlsUntrusted)
        /// A certificate of the chain is out of date.
        public static let tlsExpired = Code(kind: .tlsExpired)
        /// The broker's certificate does not name the host of the URL.
        public static let tlsHostName = Code(kind: .tlsHostName)
        /// The broker demands a certificate of us, or refuses ours.
        public static let tlsClientCertificate = Code(kind: .tlsClientCertificate)
        /// A file or setting of our own is wrong.
        public static let tlsConfiguration = Code(kind: .tlsConfiguration)
        /// Any other failure of TLS.
        public static let tlsHandshake = Code(kind: .tlsHandshake)
        /// The broker does not know the user or the password.
        public static let badCredentials = Code(kind: .badCredentials)
        /// The broker does not allow it.
        public static let notAuthorized = Code(kind: .notAuthorized)
        /// The broker refused the connection or ended it, with a reason.
        public static let rejected = Code(kind: .rejected)
        /// Another client connected with our client identifier.
        public static let takenOver = Code(kind: .takenOver)
        /// One side does not follow the specification.
        public static let protocolError = Code(kind: .protocolError)
        /// The broker sent a message whose topic, or another string, libmosquitto does not accept.
        public static let poisonTopic = Code(kind: .poisonTopic)
        /// The connection ended.
        public static let connectionLost = Code(kind: .connectionLost)
        /// No answer to a ping.
        public static let keepAlive = Code(kind: .keepAlive)
        /// The topic cannot be published to.
        public static let invalidTopic = Code(kind: .invalidTopic)
        /// A property of the message cannot be sent.
        public static let invalidProperty = Code(kind: .invalidProperty)
        /// The message is larger than the broker, or MQTT, allows.
        public static let tooLarge = Code(kind: .tooLarge)
        /// As many messages wait as may wait.
        public static let queueFull = Code(kind: .queueFull)
        /// ``Client/run()`` has not begun, or has ended.
        public static let notRunning = Code(kind: .notRunning)
        /// A password cannot be read.
        public static let secret = Code(kind: .secret)
        /// The installed library or the broker cannot do that.
        public static let unsupported = Code(kind: .unsupported)
        /// The text is not the URL of a broker.
        public static let invalidURL = Code(kind: .invalidURL)
        /// libmosquitto failed in a way that has no code of its own.
        public static let library = Code(kind: .library)

        /// The kind in words.
        public var description: String { kind.rawValue }
    }

    /// The kind of failure.
    public let code: Code
    /// What was tried, with its values.
    public let operation: String
    /// Why it failed; may be empty.
    public let detail: String
    /// What to do about it; may be empty.
    public let advice: String
    /// What the broker said, where it said something.
    public let reason: ReasonCode?

    /// An error.
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

    /// Whether trying again, unchanged, may help.
    public var isRetriable: Bool {
        switch code {
        case .takenOver, .tlsConfiguration, .invalidTopic, .invalidProperty, .tooLarge, .notRunning, .secret,
            .unsupported,
            .invalidURL:
            false
        case .rejected: reason != .unsupportedProtocolVersion && reason != .clientIdentifierNotValid
        default: true
        }
    }
}

extension ClientError: CustomStringConvertible {
    /// One line for people: `connect to mqtt://127.0.0.1:1883: connection refused. Is the broker running?`
    public var description: String {
        var text = "\(operation): \(code)"
        if let reason { text += ": \(reason)" }
        if !detail.isEmpty { text += ": \(detail)" }
        return advice.isEmpty ? text : "\(text). \(advice)"
    }
}

/// Makes text from the network harmless: control characters escaped, at most 200 characters.
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
