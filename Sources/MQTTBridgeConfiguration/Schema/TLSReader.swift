import Mosquitto

/// Reads `tls:`.
struct TLSReader {
    private static let keys = [
        "ca_file", "ca_folder", "certificate", "key", "key_password", "alpn", "psk", "dangerously_skip_verification",
    ]
    /// Keys that have no effect with a pre-shared key.
    private static let certificateKeys = [
        "ca_file", "ca_folder", "certificate", "key", "key_password", "alpn", "dangerously_skip_verification",
    ]

    /// Reads the valid parts and complains about the others.
    static func read(_ element: Element) -> TLSOptions {
        var options = TLSOptions()
        guard
            let fields = Fields(
                element,
                keys: keys,
                secrets: ["key_password", "psk"],
                example: "tls: {ca_file: ca.pem}, or leave it out to trust the system's authorities"
            )
        else { return options }
        readTrust(fields, &options)
        readCertificate(fields, &options)
        if let alpn = fields["alpn"] {
            options.applicationProtocol = alpn.convert("a name of 1 to 255 bytes", example: "alpn: mqtt") { name in
                name.utf8.count <= 255 ? name : nil
            }
        }
        if let skip = fields["dangerously_skip_verification"]?.bool() { options.dangerouslySkipVerification = skip }
        if let key = fields["psk"] {
            options.preSharedKey = readPreSharedKey(key)
            for name in certificateKeys {
                fields[name]?.complain("\"\(name)\" has no effect with \"psk\"", "Remove one of them")
            }
        }
        return options
    }

    private static func readTrust(_ fields: Fields, _ options: inout TLSOptions) {
        let present = fields.atMostOne(of: ["ca_file", "ca_folder"], "Keep one of them")
        if present == "ca_file", let path = fields["ca_file"]?.readablePath(.file, example: "ca_file: ca.pem") {
            options.trust = .file(path)
        }
        if present == "ca_folder",
            let path = fields["ca_folder"]?.readablePath(.folder, example: "ca_folder: /etc/ssl/certs")
        {
            options.trust = .folder(path)
        }
    }

    private static func readCertificate(_ fields: Fields, _ options: inout TLSOptions) {
        let certificate = fields["certificate"]?.readablePath(.file, example: "certificate: client.pem")
        let key = fields["key"]?.readablePath(.file, example: "key: client.key")
        let password = fields["key_password"].flatMap { SecretReader.read($0) }
        switch (fields["certificate"], fields["key"]) {
        case (let certificate?, nil):
            certificate.complain(
                "\"certificate\" needs \"key\"",
                "Add key: client.key, the private key of the certificate",
                at: certificate.keyPosition
            )
        case (nil, let key?):
            key.complain(
                "\"key\" needs \"certificate\"",
                "Add certificate: client.pem, the certificate of the key",
                at: key.keyPosition
            )
        default: break
        }
        if let element = fields["key_password"], fields["key"] == nil {
            element.complain(
                "\"key_password\" needs \"key\"",
                "Add key: client.key, or remove it",
                at: element.keyPosition
            )
        }
        if let certificate, let key {
            options.clientCertificate = .init(certificate: certificate, key: key, keyPassword: password)
        }
    }

    private static func readPreSharedKey(_ element: Element) -> TLSOptions.PreSharedKey? {
        let example = "psk: {identity: NAME, key: {file: PATH}}"
        guard let fields = Fields(element, keys: ["identity", "key"], secrets: ["key"], example: example) else {
            return nil
        }
        let identity = fields.required("identity", example: example)?.line(example: example)?.content
        let key = fields.required("key", example: example).flatMap { element in
            SecretReader.read(element) { text in
                let isHexadecimal = text.utf8.allSatisfy { Character(Unicode.Scalar($0)).isHexDigit }
                return isHexadecimal ? nil : "a pre-shared key is written in hexadecimal digits"
            }
        }
        guard let identity, let key else { return nil }
        return .init(identity: identity, key: key)
    }
}
