internal import CMosquitto
internal import Glibc

/// One libmosquitto handle: one attempt to connect, and the connection that comes of it.
///
/// Never used for a second connection: a handle that is used again resends what the last connection left, keeps the
/// limits that its broker set, and never forgets an authority that it trusted (2.0.11, connect.c, messages_mosq.c).
/// Not sendable: belongs to one thread at a time, and the compiler sees to it.
@safe final class LibraryHandle {
    let inbox = HandleInbox()
    let version: ProtocolVersion
    private let pointer: OpaquePointer
    private let tls: TLSContext?
    /// What stands between the library and the socket, if anything.
    private var buffers: (any SocketBuffering)?

    /// - Parameter buffers: What the connection will have before its socket. To be known here: the library makes its
    ///   wake-up pair together with the handle (2.0.11, mosquitto.c, `mosquitto_reinitialise`).
    init(
        clientID: String,
        cleanStart: Bool,
        version: ProtocolVersion,
        tls: TLSContext?,
        buffers: (any SocketBuffering)? = nil
    ) throws(ClientError) {
        let make = { unsafe mosquitto_new(clientID, cleanStart, nil) }
        let made = if let buffers { unsafe buffers.making(make) } else { unsafe make() }
        guard let pointer = unsafe made else {
            throw ClientError(.library, operation: "make a client", detail: SystemError.text(errno))
        }
        unsafe self.pointer = pointer
        self.version = version
        self.tls = tls
        // SAFETY: the inbox lives as long as this object, and the handle is destroyed before it.
        unsafe mosquitto_user_data_set(pointer, Unmanaged.passUnretained(inbox).toOpaque())
        // Not threads of its own, but queueing: what the library answers leaves at our next write, and not before.
        unsafe mosquitto_threaded_set(pointer, true)
        _ = unsafe mosquitto_int_option(
            pointer,
            MOSQ_OPT_PROTOCOL_VERSION,
            version == .v5 ? MQTT_PROTOCOL_V5 : MQTT_PROTOCOL_V311
        )
        _ = unsafe mosquitto_int_option(pointer, MOSQ_OPT_TCP_NODELAY, 1)
        if let tls {
            _ = unsafe mosquitto_void_option(pointer, MOSQ_OPT_SSL_CTX, UnsafeMutableRawPointer(tls.pointer))
            // Or the library sets it up once more, in its own way, and refuses without a file of authorities.
            _ = unsafe mosquitto_int_option(pointer, MOSQ_OPT_SSL_CTX_WITH_DEFAULTS, 0)
        }
        unsafe setCallbacks(on: pointer)
    }

    deinit {
        unsafe mosquitto_destroy(pointer)
    }

    /// The socket; negative when there is none.
    var socket: Int32 { unsafe mosquitto_socket(pointer) }

    /// Whether something waits to be written.
    var wantsWrite: Bool { unsafe mosquitto_want_write(pointer) || (buffers?.unsent(socket) ?? 0) > 0 }

    var isTLS: Bool { tls != nil }

    /// Whether bytes were received and not read yet: they do not make the socket readable.
    var hasBuffered: Bool {
        if let buffers { return buffers.unread(socket) > 0 }
        guard tls != nil, let ssl = unsafe mosquitto_ssl_get(pointer) else { return false }
        return unsafe SSL_pending(OpaquePointer(ssl)) > 0
    }

    /// What TLS complained about, more precisely than the library tells.
    var tlsFailure: TLSContext.Failure? { tls?.failure }

    /// Reads one packet, or goes on with the handshake of TLS.
    func read() -> LibraryCode {
        errno = 0
        let code = unsafe mosquitto_loop_read(pointer, 1)
        return LibraryCode(ofTransfer: code, systemError: errno)
    }

    /// Writes all that waits, as far as the socket takes it.
    ///
    /// - Parameter isBatch: Whether several packets wait: they are sent as few segments. The library writes each packet
    ///   by itself, and without Nagle's algorithm, which stalls, each would be a segment of its own.
    func write(isBatch: Bool = false) -> LibraryCode {
        let descriptor = socket
        let isBatch = isBatch && buffers == nil
        if isBatch { setCork(on: descriptor, to: 1) }
        errno = 0
        let code = unsafe mosquitto_loop_write(pointer, 1)
        let result = LibraryCode(ofTransfer: code, systemError: errno)
        if let buffers, result.isSuccess {
            let error = buffers.flush(socket)
            guard error == 0 || error == EAGAIN else {
                return LibraryCode(rawValue: MOSQ_ERR_ERRNO.rawValue, systemError: error)
            }
        }
        // The library may have closed the socket; its number may be somebody else's by now.
        if isBatch, socket == descriptor { setCork(on: descriptor, to: 0) }
        return result
    }

    /// Where the socket is not TCP's, this does nothing.
    private func setCork(on descriptor: Int32, to value: Int32) {
        var value = value
        _ = unsafe setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_CORK, &value, socklen_t(MemoryLayout<Int32>.size))
    }

    /// Pings when it is time, and gives up a broker that does not answer. To be called about once a second.
    func keepAlive() -> LibraryCode {
        LibraryCode(rawValue: unsafe mosquitto_loop_misc(pointer), systemError: 0)
    }

    /// The error of a connect that was under way when the socket became ready; nil if it succeeded.
    func takeSocketError() -> Int32? {
        var value: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        let code = unsafe getsockopt(socket, SOL_SOCKET, SO_ERROR, &value, &length)
        return code != 0 ? errno : value == 0 ? nil : value
    }

    /// Stops collecting complaints: the log callback costs a formatted text for each packet.
    func endComplaints() {
        unsafe mosquitto_log_callback_set(pointer, nil)
        inbox.complaints = []
    }

    func setLogin(username: String, password: String?) -> LibraryCode {
        LibraryCode(rawValue: unsafe mosquitto_username_pw_set(pointer, username, password), systemError: 0)
    }

    func setPreSharedKey(identity: String, key: String) -> LibraryCode {
        LibraryCode(rawValue: unsafe mosquitto_tls_psk_set(pointer, key, identity, nil), systemError: 0)
    }

    func setSendMaximum(_ maximum: UInt16) {
        _ = unsafe mosquitto_int_option(pointer, MOSQ_OPT_SEND_MAXIMUM, Int32(maximum))
    }

    func setWill(_ will: Will) throws(ClientError) {
        let message = will.message
        var properties = version == .v5 ? try PropertyList(message.properties) : PropertyList()
        if version == .v5, will.delay > .zero {
            try properties.add(int32: will.delay.seconds(upTo: .max), MQTT_PROP_WILL_DELAY_INTERVAL)
        }
        // The list becomes the library's, also when the call fails to use it (2.0.11, will_mosq.c).
        let list = unsafe properties.release()
        let code = unsafe message.payload.withUnsafeBytes { bytes in
            unsafe mosquitto_will_set_v5(
                pointer,
                message.topic,
                Int32(bytes.count),
                bytes.baseAddress,
                Int32(message.qos.rawValue),
                message.isRetained,
                list
            )
        }
        let result = LibraryCode(rawValue: code, systemError: 0)
        guard result.isSuccess else { throw result.publishError(message.topic) }
    }

    /// Begins to connect. Looks the host name up, which blocks.
    ///
    /// - Parameter bindAddress: `0.0.0.0` or `::` keep the library to one family of addresses.
    func connect(
        host: String,
        port: UInt16,
        keepAlive: Duration,
        bindAddress: String?,
        properties: borrowing PropertyList
    ) -> LibraryCode {
        let seconds = Int32(keepAlive.seconds(upTo: 65_535))
        if version == .v5 {
            // The asynchronous call takes no properties. The blocking one stores them and then, without a host, fails
            // (2.0.11 and 2.1.2, connect.c); a test pins that they arrive.
            _ = unsafe mosquitto_connect_bind_v5(pointer, nil, 0, seconds, nil, properties.pointer)
        }
        errno = 0
        let code = unsafe mosquitto_connect_bind_async(pointer, host, Int32(port), seconds, bindAddress)
        return LibraryCode(rawValue: code, systemError: errno)
    }

    /// Puts buffers before the socket that was just made, on which nothing was read or written yet.
    func attach(_ buffers: any SocketBuffering) {
        if socket >= 0, buffers.attach(socket) { self.buffers = buffers }
    }

    /// Whether the connection that has just been accepted came about without what was put before the socket. Then that is
    /// taken away: nothing is in there, and nothing would be.
    func dropsIdleBuffers() -> Bool {
        guard let buffers, !buffers.isUsed(socket) else { return false }
        buffers.detach(socket)
        self.buffers = nil
        return true
    }

    /// Gives a message to the library, which copies it. Returns its packet identifier.
    func publish(_ message: Message) throws(ClientError) -> Int32 {
        var packetID: Int32 = 0
        let properties =
            version == .v5 && !message.isPlain ? try PropertyList(message.properties) : PropertyList()
        let code = unsafe message.topic.withCString { topic in
            unsafe message.payload.withUnsafeBytes { bytes in
                unsafe mosquitto_publish_v5(
                    pointer,
                    &packetID,
                    topic,
                    Int32(bytes.count),
                    bytes.baseAddress,
                    Int32(message.qos.rawValue),
                    message.isRetained,
                    properties.pointer
                )
            }
        }
        guard code == MOSQ_ERR_SUCCESS.rawValue else {
            throw LibraryCode(rawValue: code, systemError: errno).publishError(message.topic)
        }
        return packetID
    }

    /// Sends one SUBSCRIBE for filters that share QoS and options. Returns its packet identifier.
    func subscribe(_ filters: [String], qos: QoS, optionBits: UInt8) throws(ClientError) -> Int32 {
        var packetID: Int32 = 0
        let code = unsafe withCStrings(filters) { strings, count in
            unsafe mosquitto_subscribe_multiple(
                pointer,
                &packetID,
                count,
                strings,
                Int32(qos.rawValue),
                Int32(optionBits),
                nil
            )
        }
        try check(code, "subscribe to \"\(escapedForLog(filters[0]))\"")
        return packetID
    }

    /// Sends one UNSUBSCRIBE. Returns its packet identifier.
    func unsubscribe(_ filters: [String]) throws(ClientError) -> Int32 {
        var packetID: Int32 = 0
        let code = unsafe withCStrings(filters) { strings, count in
            unsafe mosquitto_unsubscribe_multiple(pointer, &packetID, count, strings, nil)
        }
        try check(code, "unsubscribe from \"\(escapedForLog(filters[0]))\"")
        return packetID
    }

    /// Queues DISCONNECT behind all that waits. The socket is closed once it is written: it must have left by then.
    func disconnect() {
        buffers?.writeThrough(socket)
        _ = unsafe mosquitto_disconnect_v5(pointer, 0, nil)
    }

    private func check(_ code: Int32, _ operation: String) throws(ClientError) {
        let result = LibraryCode(rawValue: code, systemError: errno)
        guard result.isSuccess else { throw result.connectionError(operation) }
    }
}

/// Calls `body` with an array of C strings, as the library wants filters.
private func withCStrings(
    _ strings: [String],
    _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>, Int32) -> Int32
) -> Int32 {
    var copies = unsafe strings.map { unsafe strdup($0) }
    // SAFETY: the copies are ours; the library reads them during the call only.
    defer { unsafe copies.forEach { unsafe free($0) } }
    return unsafe copies.withUnsafeMutableBufferPointer { buffer in
        unsafe body(UnsafePointer(buffer.baseAddress!), Int32(buffer.count))
    }
}
