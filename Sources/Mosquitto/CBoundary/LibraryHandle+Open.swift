internal import CMosquitto
internal import Glibc

extension LibraryHandle {
    /// Creates a handle and begins to connect. Blocks during the name look-up.
    ///
    /// - Parameter afterLookUp: Called before any use of libmosquitto or OpenSSL; false abandons the attempt.
    static func open(
        _ plan: ConnectPlan,
        afterLookUp: () -> Bool
    ) -> Result<Connector.Opened, ConnectFailure> {
        let url = plan.url
        let operation = "connect to \(url)"
        var addresses: Int?
        do throws(ClientError) {
            let found = try Resolver.addresses(of: url, operation: operation)
            addresses = found.count
            guard afterLookUp() else { throw ClientError(.notRunning, operation: operation) }
            let address = found[min(plan.address, found.count - 1)]
            let buffers = url.transport == .tls ? nil : SocketBuffers.inUse
            let handle = try prepare(plan, buffers)
            let properties = plan.options.version == .v5 ? try PropertyList(connect: plan.options) : PropertyList()
            // Without TLS an address can replace the name. With TLS the name must stay, for the certificate and SNI:
            // then only the address family can be chosen.
            let code = handle.connect(
                host: url.transport == .tcp ? address.text : url.host,
                port: url.port,
                keepAlive: plan.options.timeouts.keepAlive,
                bindAddress: url.transport == .tls && found.hasBothFamilies ? address.anyOfFamily : nil,
                properties: properties
            )
            guard code.isSuccess || code.rawValue == MOSQ_ERR_CONN_PENDING.rawValue else {
                throw handle.connectError(code.withReason(url), operation, host: url.host)
            }
            // 2.0 has begun the TLS handshake, which has cleared the socket's error. 2.1 has called `getpeername` on
            // the socket, which is mostly not connected yet (2.1.2, connect.c, `get_address`).
            if handle.isTLS, code.isBroken, code.systemError != ENOTCONN {
                throw handle.connectError(code, operation, host: url.host)
            }
            handle.closeOnExec()
            if let buffers { handle.attach(buffers) }
            return .success(Connector.Opened(handle: handle, addresses: found.count))
        } catch {
            return .failure(ConnectFailure(error: error, addresses: addresses))
        }
    }

    private static func prepare(
        _ plan: ConnectPlan,
        _ buffers: (any SocketBuffering)?
    ) throws(ClientError) -> LibraryHandle {
        let options = plan.options
        var tls: TLSContext?
        if plan.url.transport == .tls, options.tls.preSharedKey == nil {
            tls = try TLSContext(options.tls, host: plan.url.host)
        }
        let handle = try LibraryHandle(
            clientID: options.clientID,
            cleanStart: options.session.expiry <= .zero,
            version: options.version,
            tls: tls,
            buffers: buffers,
            gate: PacketGate(options)
        )
        handle.callbacks.largestPayload = options.limits.largestPayload ?? .max
        handle.setSendMaximum(options.limits.inFlightWindow)
        if plan.url.transport == .tls, let key = options.tls.preSharedKey {
            let code = handle.setPreSharedKey(identity: key.identity, key: try key.key.load())
            guard code.isSuccess else {
                throw ClientError(.tlsConfiguration, operation: "use pre-shared key", detail: code.text)
            }
        }
        if let username = plan.url.user ?? options.username {
            let code = handle.setLogin(username: username, password: try options.password?.load())
            guard code.isSuccess else { throw code.connectionError("set user name and password") }
        }
        if let will = options.will { try handle.setWill(will) }
        return handle
    }

    /// The error of a failed connection attempt.
    func connectError(_ code: LibraryCode, _ operation: String, host: String) -> ClientError {
        if let breach { return breach.error(operation) }
        if let error = tlsFailure?.error(operation, host: host) { return error }
        if code.isHangUp, let error = tlsFailure?.hangUpError(operation) { return error }
        let complaint = callbacks.complaints.last.map { escapedForLog($0) } ?? ""
        switch code.rawValue {
        case MOSQ_ERR_MALFORMED_UTF8.rawValue:
            // Not a topic: only CONNACK can have arrived.
            return ClientError(.protocolError, operation: operation, detail: "illegal text in CONNACK")
        case MOSQ_ERR_TLS.rawValue, MOSQ_ERR_TLS_HANDSHAKE.rawValue,
            // The code of a TLS failure after the handshake (2.0.11, net_mosq.c).
            MOSQ_ERR_ERRNO.rawValue where code.systemError == EPROTO:
            let signs = ["wrong version number", "packet length too long", "unexpected eof"]
            let isClear = signs.contains { complaint.contains($0) }
            return ClientError(
                .tlsHandshake,
                operation: operation,
                detail: complaint,
                advice: isClear ? ClientError.tlsPortAdvice : ""
            )
        case MOSQ_ERR_SUCCESS.rawValue, MOSQ_ERR_ERRNO.rawValue,
            MOSQ_ERR_CONN_LOST.rawValue where code.systemError != 0:
            return .connecting(operation, systemError: code.systemError, isTLS: isTLS)
        case MOSQ_ERR_CONN_LOST.rawValue:
            return ClientError(.connectionLost, operation: operation, detail: "closed before it was accepted")
        default:
            return code.connectionError(operation)
        }
    }

    /// Sets close-on-exec on the socket, which libmosquitto does not.
    ///
    /// The wake-up socket pair is not accessible; it holds no data that a child could misuse.
    private func closeOnExec() {
        guard socket >= 0 else { return }
        _ = fcntl(socket, F_SETFD, FD_CLOEXEC)
    }
}

extension LibraryCode {
    /// The system's error of a `connect` that failed at once. 2.1 calls `getpeername` on the socket after closing it,
    /// which overwrites `errno` with `EBADF` (2.1.2, connect.c, `get_address`); another attempt on a Unix domain socket
    /// recovers the error.
    fileprivate func withReason(_ url: BrokerURL) -> LibraryCode {
        guard rawValue == MOSQ_ERR_ERRNO.rawValue, systemError == EBADF, url.transport == .unix,
            let reason = Files.refusal(ofSocket: url.host)
        else { return self }
        return LibraryCode(rawValue: rawValue, systemError: reason)
    }
}

extension ClientError {
    fileprivate static let tlsPortAdvice =
        "If the broker does not speak TLS on this port, use mqtt://, or its TLS port"

    /// The error of a failed `connect`, or of a connection that ended before CONNACK.
    static func connecting(_ operation: String, systemError: Int32, isTLS: Bool = false) -> ClientError {
        let text = SystemError.text(systemError)
        switch systemError {
        case ECONNREFUSED:
            return ClientError(.refused, operation: operation, advice: "Is the broker running, and is the port right?")
        case ENOENT, EACCES, EPERM:
            return ClientError(.unreachable, operation: operation, detail: text)
        case ETIMEDOUT:
            return ClientError(.timedOut, operation: operation, detail: text)
        case EBADF:
            let detail = "the system refused the connection at once; libmosquitto does not report the cause"
            return ClientError(.unreachable, operation: operation, detail: detail)
        case ECONNRESET, EPIPE:
            let advice = isTLS ? tlsPortAdvice : ""
            return ClientError(.connectionLost, operation: operation, detail: text, advice: advice)
        default:
            return ClientError(.unreachable, operation: operation, detail: text)
        }
    }
}

/// `EAI_NODATA` of netdb.h, which a feature macro hides: the name exists and has no address.
private let noAddress: Int32 = -5

enum Resolver {
    struct Address {
        let text: String
        let isIPv6: Bool

        /// The wildcard address of the same family.
        var anyOfFamily: String { isIPv6 ? "::" : "0.0.0.0" }
    }

    /// The addresses of a broker's host, in the system's order of preference; at least one. Blocks.
    static func addresses(of url: BrokerURL, operation: String) throws(ClientError) -> [Address] {
        guard url.transport != .unix else { return [Address(text: url.host, isIPv6: false)] }
        var hints = unsafe addrinfo()
        unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        let code = unsafe getaddrinfo(url.host, nil, &hints, &list)
        defer { if let list = unsafe list { unsafe freeaddrinfo(list) } }
        guard code == 0 else {
            let isUnknown = code == EAI_NONAME || code == noAddress
            throw ClientError(
                isUnknown ? .nameUnknown : .nameLookupFailed,
                operation: operation,
                detail: unsafe String(cString: gai_strerror(code)),
                advice: isUnknown ? "Check the spelling of the host" : ""
            )
        }
        var addresses: [Address] = []
        var next = unsafe list
        while let entry = unsafe next {
            var text = [CChar](repeating: 0, count: Int(NI_MAXHOST))
            if unsafe getnameinfo(
                entry.pointee.ai_addr,
                entry.pointee.ai_addrlen,
                &text,
                socklen_t(text.count),
                nil,
                0,
                NI_NUMERICHOST
            ) == 0 {
                let bytes = text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
                addresses.append(
                    Address(
                        text: String(decoding: bytes, as: UTF8.self),
                        isIPv6: unsafe entry.pointee.ai_family == AF_INET6
                    )
                )
            }
            unsafe next = unsafe entry.pointee.ai_next
        }
        guard !addresses.isEmpty else { throw ClientError(.nameUnknown, operation: operation) }
        return addresses
    }
}

extension [Resolver.Address] {
    fileprivate var hasBothFamilies: Bool { contains { $0.isIPv6 } && contains { !$0.isIPv6 } }
}
