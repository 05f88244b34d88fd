internal import CMosquitto
internal import Glibc

/// The OpenSSL context of one connection. libmosquitto gets it ready-made, and uses it unchanged.
///
/// The library's own set-up does not distinguish an expired certificate from an untrusted one, does not verify host
/// names with OpenSSL's code, and never forgets an authority (2.0.11, net_mosq.c, tls_mosq.c).
@safe final class TLSContext {
    /// The causes of a failed handshake, as OpenSSL's callbacks reported them.
    struct Failure {
        /// An `X509_V_ERR_…` code; 0 if verification did not fail.
        var verification: Int32 = 0
        /// The fatal alert from the broker; nil for none.
        var alert: Int32?
        /// Whether the broker requested a client certificate.
        var wasAskedForCertificate = false
    }

    private final class Recorder {
        var failure = Failure()
        /// Whether the host is an IP address.
        let hasAddress: Bool

        init(host: String) {
            let address = unsafe a2i_IPADDRESS(host)
            hasAddress = unsafe address != nil
            unsafe ASN1_OCTET_STRING_free(address)
        }
    }

    /// The cipher suites of TLS 1.2: those of OpenSSL and the system's policy that have forward secrecy. All of TLS 1.3
    /// have it.
    private static let ciphers = "DEFAULT:!kRSA:!kPSK:!kRSAPSK:!aNULL:!eNULL"

    let pointer: OpaquePointer
    private let recorder: Recorder

    var failure: Failure { recorder.failure }

    init(_ options: TLSOptions, host: String) throws(ClientError) {
        guard let pointer = unsafe SSL_CTX_new(TLS_client_method()) else {
            throw Self.configurationError("make a TLS context")
        }
        unsafe self.pointer = unsafe pointer
        recorder = Recorder(host: host)
        _ = unsafe SSL_CTX_ctrl(pointer, SSL_CTRL_SET_MIN_PROTO_VERSION, Int(TLS1_2_VERSION), nil)
        guard unsafe SSL_CTX_set_cipher_list(pointer, Self.ciphers) == 1 else {
            throw Self.configurationError("choose ciphers")
        }
        // SAFETY: libmosquitto's reference to the context does not outlive the handle, which keeps this object alive.
        _ = unsafe SSL_CTX_set_ex_data(pointer, Self.recorderIndex, Unmanaged.passUnretained(recorder).toOpaque())
        watchHandshake()
        watchRequests()
        try verify(options, host: host)
        if let certificate = options.clientCertificate { try use(certificate) }
        if let name = options.applicationProtocol { try offer(name) }
    }

    deinit {
        unsafe SSL_CTX_free(pointer)
    }

    private static let recorderIndex = CRYPTO_get_ex_new_index(CRYPTO_EX_INDEX_SSL_CTX, 0, nil, nil, nil, nil)

    private static func recorder(of ssl: OpaquePointer?) -> Recorder? {
        guard let context = unsafe SSL_get_SSL_CTX(ssl), let data = unsafe SSL_CTX_get_ex_data(context, recorderIndex)
        else { return nil }
        // SAFETY: see `init`.
        return unsafe Unmanaged<Recorder>.fromOpaque(data).takeUnretainedValue()
    }

    private func verify(_ options: TLSOptions, host: String) throws(ClientError) {
        guard !options.dangerouslySkipVerification else {
            unsafe SSL_CTX_set_verify(pointer, SSL_VERIFY_NONE, nil)
            return
        }
        let isLoaded =
            switch options.trust {
            case .system: unsafe SSL_CTX_set_default_verify_paths(pointer)
            case .file(let path): unsafe SSL_CTX_load_verify_file(pointer, path)
            case .folder(let path): unsafe SSL_CTX_load_verify_dir(pointer, path)
            }
        guard isLoaded == 1 else { throw Self.configurationError("read trusted authorities", path: options.trust.path) }
        if let path = options.trust.path, let problem = Files.problem(with: path) {
            throw Self.configurationError("read trusted authorities", path: path, detail: problem)
        }
        let parameters = unsafe SSL_CTX_get0_param(pointer)
        unsafe X509_VERIFY_PARAM_set_hostflags(parameters, UInt32(X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS))
        if unsafe X509_VERIFY_PARAM_set1_ip_asc(parameters, host) != 1 {
            guard unsafe X509_VERIFY_PARAM_set1_host(parameters, host, 0) == 1 else {
                throw Self.configurationError("set the host name to verify")
            }
        }
        unsafe SSL_CTX_set_verify(pointer, SSL_VERIFY_PEER) { isSound, store in
            guard isSound != 1 else { return 1 }
            let ssl = unsafe X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx())
            unsafe TLSContext.recorder(of: OpaquePointer(ssl))?.failure.verification =
                unsafe X509_STORE_CTX_get_error(store)
            return 0
        }
    }

    private func watchHandshake() {
        unsafe SSL_CTX_set_info_callback(pointer) { ssl, place, value in
            if place & SSL_CB_HANDSHAKE_START != 0, unsafe TLSContext.recorder(of: ssl)?.hasAddress == true {
                // Clears SNI: it must not hold an address (RFC 6066, section 3), but libmosquitto sets it anyway.
                _ = unsafe SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, Int(TLSEXT_NAMETYPE_host_name), nil)
            }
            guard place & SSL_CB_READ_ALERT == SSL_CB_READ_ALERT, value >> 8 == SSL3_AL_FATAL else { return }
            unsafe TLSContext.recorder(of: ssl)?.failure.alert = value & 0xFF
        }
    }

    /// Records that the broker requested a client certificate. A broker that rejects ours, or misses one, may hang up
    /// so fast that its alert is lost: then the request is the only evidence.
    private func watchRequests() {
        unsafe SSL_CTX_set_cert_cb(
            pointer,
            { ssl, _ in
                unsafe TLSContext.recorder(of: ssl)?.failure.wasAskedForCertificate = true
                return 1
            },
            nil
        )
    }

    private func use(_ certificate: TLSOptions.ClientCertificate) throws(ClientError) {
        guard unsafe SSL_CTX_use_certificate_chain_file(pointer, certificate.certificate) == 1 else {
            throw Self.configurationError("read client certificate", path: certificate.certificate)
        }
        // An encrypted key without a password must fail instead of prompting on the terminal.
        var password = try certificate.keyPassword?.load().utf8CString ?? [0]
        let isRead = unsafe password.withUnsafeMutableBufferPointer { buffer in
            unsafe SSL_CTX_set_default_passwd_cb(pointer) { target, size, _, source in
                guard let target = unsafe target, let source = unsafe source else { return 0 }
                let text = unsafe source.assumingMemoryBound(to: CChar.self)
                let length = unsafe strlen(text)
                guard length < Int(size) else { return 0 }
                unsafe target.update(from: text, count: length)
                return Int32(length)
            }
            unsafe SSL_CTX_set_default_passwd_cb_userdata(pointer, buffer.baseAddress)
            defer { unsafe SSL_CTX_set_default_passwd_cb_userdata(pointer, nil) }
            return unsafe SSL_CTX_use_PrivateKey_file(pointer, certificate.key, SSL_FILETYPE_PEM)
        }
        guard isRead == 1 else { throw Self.configurationError("read client key", path: certificate.key) }
        guard unsafe SSL_CTX_check_private_key(pointer) == 1 else {
            throw Self.configurationError("use client key", path: certificate.key)
        }
    }

    private func offer(_ name: String) throws(ClientError) {
        let bytes = [UInt8(truncatingIfNeeded: name.utf8.count)] + Array(name.utf8)
        guard (1...255).contains(name.utf8.count),
            unsafe SSL_CTX_set_alpn_protos(pointer, bytes, UInt32(bytes.count)) == 0
        else { throw Self.configurationError("offer application protocol \"\(escapedForLog(name))\"") }
    }

    private static func configurationError(
        _ operation: String,
        path: String? = nil,
        detail: String? = nil
    ) -> ClientError {
        var reasons: [String] = detail.map { [$0] } ?? []
        while case let code = ERR_get_error(), code != 0 {
            if let reason = unsafe ERR_reason_error_string(code) { unsafe reasons.append(String(cString: reason)) }
        }
        return ClientError(
            .tlsConfiguration,
            operation: path.map { "\(operation) \($0)" } ?? operation,
            detail: reasons.prefix(3).joined(separator: "; ")
        )
    }
}

extension TLSContext.Failure {
    /// The error for the failure, if OpenSSL reported one.
    func error(_ operation: String, host: String) -> ClientError? {
        switch verification {
        case 0:
            break
        case X509_V_ERR_HOSTNAME_MISMATCH, X509_V_ERR_IP_ADDRESS_MISMATCH:
            return ClientError(
                .tlsHostName,
                operation: operation,
                detail: "it does not name \(escapedForLog(host))",
                advice: "Connect to a name that is in the broker's certificate"
            )
        case X509_V_ERR_CERT_HAS_EXPIRED, X509_V_ERR_CERT_NOT_YET_VALID:
            return ClientError(
                .tlsExpired,
                operation: operation,
                detail: verificationText,
                advice: "Renew it, or set the clock"
            )
        default:
            return ClientError(
                .tlsUntrusted,
                operation: operation,
                detail: verificationText,
                advice: "Name the authority that signed it: tls: {ca_file: PATH}"
            )
        }
        guard let alert else { return nil }
        let text = unsafe String(cString: SSL_alert_desc_string_long(alert))
        switch alert {
        case SSL3_AD_HANDSHAKE_FAILURE where wasAskedForCertificate,
            SSL3_AD_BAD_CERTIFICATE, SSL3_AD_NO_CERTIFICATE, SSL3_AD_UNSUPPORTED_CERTIFICATE,
            SSL3_AD_CERTIFICATE_REVOKED, SSL3_AD_CERTIFICATE_EXPIRED, SSL3_AD_CERTIFICATE_UNKNOWN, TLS1_AD_UNKNOWN_CA,
            TLS13_AD_CERTIFICATE_REQUIRED:
            return Self.clientCertificate(operation, detail: "the broker says: \(text)")
        default:
            return ClientError(.tlsHandshake, operation: operation, detail: "the broker says: \(text)")
        }
    }

    /// The error if the broker hung up without an alert before CONNACK.
    func hangUpError(_ operation: String) -> ClientError? {
        guard wasAskedForCertificate else { return nil }
        return Self.clientCertificate(operation, detail: "the broker asked for a certificate, and then hung up")
    }

    private static func clientCertificate(_ operation: String, detail: String) -> ClientError {
        ClientError(
            .tlsClientCertificate,
            operation: operation,
            detail: detail,
            advice: "Give a certificate that the broker accepts: tls: {certificate: PATH, key: PATH}"
        )
    }

    private var verificationText: String {
        unsafe String(cString: X509_verify_cert_error_string(Int(verification)))
    }
}

extension TLSOptions.Trust {
    fileprivate var path: String? {
        switch self {
        case .system: nil
        case .file(let path), .folder(let path): path
        }
    }
}
