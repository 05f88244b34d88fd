internal import CMosquitto
internal import Glibc

extension LibraryHandle {
    /// Makes a handle and begins to connect it. Blocks as long as the look-up of the host name does.
    ///
    /// - Parameter afterLookUp: Whether to go on, asked before anything of the library or OpenSSL is touched.
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
            // In clear any address will do as a name. With TLS the name must stay, since certificate and SNI go by it;
            // then the family of the address is all that can be chosen.
            let code = handle.connect(
                host: url.transport == .tcp ? address.text : url.host,
                port: url.port,
                keepAlive: plan.options.keepAlive,
                bindAddress: url.transport == .tls && found.hasBothFamilies ? address.anyOfFamily : nil,
                properties: properties
            )
            guard code.isSuccess || code.rawValue == MOSQ_ERR_CONN_PENDING.rawValue else {
                throw handle.connectError(code, operation, host: url.host)
            }
            // The library has begun the handshake of TLS, which has taken the socket's error away.
            if handle.isTLS, code.isBroken { throw handle.connectError(code, operation, host: url.host) }
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
            cleanStart: options.sessionExpiry <= .zero,
            version: options.version,
            tls: tls,
            buffers: buffers
        )
        handle.inbox.largestPayload = options.largestPayload ?? .max
        handle.setSendMaximum(options.inFlightWindow)
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

    /// Why a connection that was being made came to nothing.
    func connectError(_ code: LibraryCode, _ operation: String, host: String) -> ClientError {
        if let error = tlsFailure?.error(operation, host: host) { return error }
        if code.isHangUp, let error = tlsFailure?.hangUpError(operation) { return error }
        let complaint = inbox.complaints.last.map { escapedForLog($0) } ?? ""
        switch code.rawValue {
        case MOSQ_ERR_MALFORMED_UTF8.rawValue:
            // Not a topic: nothing but CONNACK can have come yet.
            return ClientError(.protocolError, operation: operation, detail: "illegal text in CONNACK")
        case MOSQ_ERR_TLS.rawValue, MOSQ_ERR_TLS_HANDSHAKE.rawValue,
            // What a failure of TLS is called after the handshake (2.0.11, net_mosq.c).
            MOSQ_ERR_ERRNO.rawValue where code.systemError == EPROTO:
            let signs = ["wrong version number", "packet length too long", "unexpected eof"]
            let isClear = signs.contains { complaint.contains($0) }
            return ClientError(
                .tlsHandshake,
                operation: operation,
                detail: complaint,
                advice: isClear ? ClientError.perhapsClear : ""
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

    /// Keeps the sockets from every program that this process starts. The library opens them without the flag.
    ///
    /// Its wake-up pair cannot be asked for; it holds nothing that a child could misuse.
    private func closeOnExec() {
        guard socket >= 0 else { return }
        _ = fcntl(socket, F_SETFD, FD_CLOEXEC)
    }
}

extension ClientError {
    fileprivate static let perhapsClear =
        "If the broker does not speak TLS on this port, use mqtt://, or its TLS port"

    /// The error of a `connect` that the system refused, or of a connection that ended before it was accepted.
    static func connecting(_ operation: String, systemError: Int32, isTLS: Bool = false) -> ClientError {
        let text = SystemError.text(systemError)
        switch systemError {
        case ECONNREFUSED:
            return ClientError(.refused, operation: operation, advice: "Is the broker running, and is the port right?")
        case ENOENT, EACCES, EPERM:
            return ClientError(.unreachable, operation: operation, detail: text)
        case ETIMEDOUT:
            return ClientError(.timedOut, operation: operation, detail: text)
        case ECONNRESET, EPIPE:
            let advice = isTLS ? perhapsClear : ""
            return ClientError(.connectionLost, operation: operation, detail: text, advice: advice)
        default:
            return ClientError(.unreachable, operation: operation, detail: text)
        }
    }
}

/// `EAI_NODATA` of netdb.h, which is hidden behind a feature macro: the name exists and has no address.
private let noAddress: Int32 = -5

/// Looks host names up.
enum Resolver {
    struct Address {
        let text: String
        let isIPv6: Bool

        /// The address that stands for all of the machine's own, of the same family.
        var anyOfFamily: String { isIPv6 ? "::" : "0.0.0.0" }
    }

    /// The addresses of a broker's host, in the order of the system's preference: at least one. Blocks.
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
