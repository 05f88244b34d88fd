internal import Programs
internal import Foundation

/// Certificates for TLS tests, made once per process with the `openssl` program (about 0.3 s).
///
/// All are paths of PEM files in a temporary folder, which is removed at the end of the process. Keys are EC P-256.
package struct TestCertificates: Sendable {
    /// A certificate and its key.
    package struct Identity: Sendable {
        /// The path of the certificate.
        package let certificate: String
        /// The path of the key, without a password.
        package let key: String
    }

    /// The folder of all files.
    package let directory: String
    /// The certificate of the authority that signed all certificates except ``unknownClient``.
    package let authority: String
    /// A folder with the authority under its hashed name, for `capath`.
    package let authorityFolder: String
    /// The certificate of an authority that signed only ``unknownClient``.
    package let unknownAuthority: String
    /// A server named `localhost`, 127.0.0.1 and ::1.
    package let server: Identity
    /// A server named `wrong.example` only.
    package let wrongNameServer: Identity
    /// Like ``server``, with a certificate that expired in 2021.
    package let expiredServer: Identity
    /// A client with the common name `test-client`.
    package let client: Identity
    /// A client with a certificate that ``unknownAuthority`` signed.
    package let unknownClient: Identity
    /// The key of ``client``, encrypted with ``clientKeyPassword``.
    package let encryptedClientKey: String
    /// The password of ``encryptedClientKey``.
    package let clientKeyPassword = "correct horse"

    /// Whether `openssl` is installed on this machine.
    package static var isOpenSSLInstalled: Bool { Program.path(of: "openssl") != nil }

    /// Returns the certificates of this process. The first call makes them, which blocks its thread.
    ///
    /// - Throws: `FaultKitError` with the output of openssl if it is missing or fails.
    package static func shared() throws -> TestCertificates { try made.get() }

    private static let made: Result<TestCertificates, any Error> = Result {
        // A static is never released, so its folder would stay.
        atexit { folder?.remove() }
        guard let folder else { throw FaultKitError("make a folder for certificates: failed") }
        return try TestCertificates(CertificateMaker(folder: folder))
    }

    private static let folder = try? TemporaryDirectory()

    private init(_ maker: CertificateMaker) throws {
        let local = "subjectAltName=DNS:localhost,IP:127.0.0.1,IP:::1"
        directory = maker.folder.path
        try maker.makeAuthority("ca", name: "Test Authority")
        try maker.makeAuthority("unknown-ca", name: "Unknown Authority")
        authority = maker.folder.file("ca.crt")
        unknownAuthority = maker.folder.file("unknown-ca.crt")
        authorityFolder = try maker.makeHashedFolder("ca.crt")
        server = try maker.makeIdentity("server", name: "localhost", extension: local)
        wrongNameServer = try maker.makeIdentity(
            "wrong",
            name: "wrong.example",
            extension: "subjectAltName=DNS:wrong.example"
        )
        expiredServer = try maker.makeIdentity(
            "expired",
            name: "localhost",
            extension: local,
            validity: ("20200101000000Z", "20210101000000Z")
        )
        client = try maker.makeIdentity("client", name: "test-client", extension: "extendedKeyUsage=clientAuth")
        unknownClient = try maker.makeIdentity(
            "unknown-client",
            name: "test-client",
            extension: "extendedKeyUsage=clientAuth",
            authority: "unknown-ca"
        )
        encryptedClientKey = try maker.encryptKey("client", password: clientKeyPassword)
    }
}
