/// The TLS options of `mqtts://`: at least TLS 1.2; the client verifies the chain and the host name.
public struct TLSOptions: Sendable, Hashable {
    /// The trusted certificate authorities.
    public enum Trust: Sendable, Hashable {
        /// The authorities of the operating system.
        case system
        /// The authorities in a PEM file.
        case file(String)
        /// The authorities in a folder of PEM files with hashed names (`openssl rehash`).
        case folder(String)
    }

    /// A client certificate, for brokers that demand one.
    public struct ClientCertificate: Sendable, Hashable {
        /// A PEM file with the certificate, followed by the rest of its chain.
        public var certificate: String
        /// A PEM file with the private key.
        public var key: String
        /// The passphrase of an encrypted key.
        public var keyPassword: Secret?

        /// A certificate and its key.
        public init(certificate: String, key: String, keyPassword: Secret? = nil) {
            self.certificate = certificate
            self.key = key
            self.keyPassword = keyPassword
        }
    }

    /// A secret shared with the broker instead of certificates.
    public struct PreSharedKey: Sendable, Hashable {
        /// The PSK identity of this client.
        public var identity: String
        /// The key, in hexadecimal digits.
        public var key: Secret

        /// A pre-shared key.
        public init(identity: String, key: Secret) {
            self.identity = identity
            self.key = key
        }
    }

    /// The trusted certificate authorities.
    public var trust: Trust
    /// The client certificate.
    public var clientCertificate: ClientCertificate?
    /// The protocol name in the handshake (ALPN), for brokers that share a port.
    public var applicationProtocol: String?
    /// A pre-shared key instead of certificates. ``Client`` refuses it with libmosquitto before 2.0.12, which then also
    /// connects to a broker with a certificate, and verifies nothing.
    public var preSharedKey: PreSharedKey?
    /// Accepts any certificate: anybody can impersonate the broker. For experiments; reported on each connection.
    public var dangerouslySkipVerification: Bool

    /// Creates options; the defaults are the safe ones.
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
