/// How a `mqtts://` connection is secured: TLS 1.2 at least, the chain and the host name verified.
public struct TLSOptions: Sendable {
    /// Which authorities are trusted.
    public enum Trust: Sendable, Hashable {
        /// Those of the operating system.
        case system
        /// Those in a PEM file.
        case file(String)
        /// Those in a folder of PEM files with hashed names (`openssl rehash`).
        case folder(String)
    }

    /// A certificate of our own, for brokers that demand one.
    public struct ClientCertificate: Sendable {
        /// PEM file with the certificate, followed by the rest of its chain.
        public var certificate: String
        /// PEM file with the private key.
        public var key: String
        /// What opens the key, if it is encrypted.
        public var keyPassword: Secret?

        /// A certificate and its key.
        public init(certificate: String, key: String, keyPassword: Secret? = nil) {
            self.certificate = certificate
            self.key = key
            self.keyPassword = keyPassword
        }
    }

    /// A secret shared with the broker in place of certificates.
    public struct PreSharedKey: Sendable {
        /// Who we are.
        public var identity: String
        /// The key, in hexadecimal digits.
        public var key: Secret

        /// A pre-shared key.
        public init(identity: String, key: Secret) {
            self.identity = identity
            self.key = key
        }
    }

    /// Which authorities are trusted.
    public var trust: Trust
    /// Our own certificate.
    public var clientCertificate: ClientCertificate?
    /// The protocol to name in the handshake (ALPN), for brokers that share a port.
    public var applicationProtocol: String?
    /// In place of certificates. Refused with libmosquitto before 2.0.12, which connects to a broker with a
    /// certificate as well and then verifies nothing.
    public var preSharedKey: PreSharedKey?
    /// Talk to anybody who claims to be the broker. For experiments; logged at each connect.
    public var dangerouslySkipVerification: Bool

    /// Options; those not given are the safe ones.
    public init(
        trust: Trust = .system,
        clientCertificate: ClientCertificate? = nil,
        applicationProtocol: String? = nil,
        preSharedKey: PreSharedKey? = nil,
        dangerouslySkipVerification: Bool = false
    ) {
        self.trust = trust
        self.clientCertificate = clientCertificate
        self.applicationProtocol = applicationProtocol
        self.preSharedKey = preSharedKey
        self.dangerouslySkipVerification = dangerouslySkipVerification
    }
}
