internal import CMosquitto
internal import Glibc

/// A libmosquitto handle for one connection attempt, and for the connection that results.
///
/// Not reusable: on a second connection, libmosquitto resends messages of the first, keeps the limits of its broker,
/// and keeps trusting its authorities (2.0.11, connect.c, messages_mosq.c). Not sendable: it belongs to one thread at a
/// time, which the compiler checks.
@safe final class LibraryHandle {
    let callbacks = CallbackBuffer()
    let version: ProtocolVersion
    let pointer: OpaquePointer
    private let tls: TLSContext?
    /// The buffers between the library and the socket; nil for none.
    private var buffers: (any SocketBuffering)?
    /// Inspects packets before the library acts on them; nil if that is impossible.
    private let gate: PacketGate?
    /// Without a gate: the number of reads since the last complete write.
    private var reads = 0

    /// - Parameter buffers: The buffers of the later connection. Needed here: `mosquitto_new` creates the wake-up
    ///   socket pair (2.0.11, mosquitto.c, `mosquitto_reinitialise`).
    init(
        clientID: String,
        cleanStart: Bool,
        version: ProtocolVersion,
        tls: TLSContext?,
        buffers: (any SocketBuffering)? = nil,
        gate: PacketGate? = nil
    ) throws(ClientError) {
        let make = { unsafe mosquitto_new(clientID, cleanStart, nil) }
        let made = if let buffers { unsafe buffers.making(make) } else { unsafe make() }
        guard let pointer = unsafe made else {
            throw ClientError(.library, operation: "create a libmosquitto handle", detail: SystemError.text(errno))
        }
        unsafe self.pointer = pointer
        self.version = version
        self.tls = tls
        self.gate = gate
        // SAFETY: the callbacks lives as long as this object, and the handle is destroyed before it.
        unsafe mosquitto_user_data_set(pointer, Unmanaged.passUnretained(callbacks).toOpaque())
        // Starts no threads, but makes libmosquitto queue packets: its answers leave at the next `write()`, not before.
        unsafe mosquitto_threaded_set(pointer, true)
        _ = unsafe mosquitto_int_option(
            pointer,
            MOSQ_OPT_PROTOCOL_VERSION,
            version == .v5 ? MQTT_PROTOCOL_V5 : MQTT_PROTOCOL_V311
        )
        _ = unsafe mosquitto_int_option(pointer, MOSQ_OPT_TCP_NODELAY, 1)
        if let tls {
            _ = unsafe mosquitto_void_option(pointer, MOSQ_OPT_SSL_CTX, UnsafeMutableRawPointer(tls.pointer))
            // Otherwise the library configures the context again, and fails without a file of authorities.
            _ = unsafe mosquitto_int_option(pointer, MOSQ_OPT_SSL_CTX_WITH_DEFAULTS, 0)
        }
        unsafe setCallbacks(on: pointer)
    }

    deinit {
        unsafe mosquitto_destroy(pointer)
    }

    /// The socket; negative if there is none.
    var socket: Int32 { unsafe mosquitto_socket(pointer) }

    /// Whether unsent bytes are queued.
    var wantsWrite: Bool { unsafe mosquitto_want_write(pointer) || (buffers?.unsent(socket) ?? 0) > 0 }

    var isTLS: Bool { tls != nil }

    /// Whether received bytes are buffered: they do not make the socket readable.
    var hasBuffered: Bool {
        if let buffers { return buffers.unread(socket) > 0 }
        guard tls != nil, let ssl = unsafe mosquitto_ssl_get(pointer) else { return false }
        return unsafe SSL_pending(OpaquePointer(ssl)) > 0
    }

    /// The failure recorded from OpenSSL, more precise than the library's error.
    var tlsFailure: TLSContext.Failure? { tls?.failure }

    /// Reads at least one packet, or continues the TLS handshake.
    func read() -> LibraryCode {
        errno = 0
        let code: Int32
        if let gate {
            code = unsafe gate.read(pointer)
        } else {
            reads &+= 1
            code = unsafe mosquitto_loop_read(pointer, 1)
        }
        return LibraryCode(ofTransfer: code, systemError: errno)
    }

    /// Resets the packet and byte limits of a turn.
    func beginTurn() { gate?.beginTurn() }

    /// Whether the last read returned early because of the limits of the turn.
    var isTurnOver: Bool { gate?.isTurnOver ?? false }

    /// Whether too many answers are unsent to read on: libmosquitto queues answers without a limit.
    var owesTooMuch: Bool { (gate?.answers ?? reads) > Self.mostAnswers }

    /// In packets; a few megabytes. A broker that reads receives its answers in each turn.
    private static let mostAnswers = 8_192

    /// The write queue is empty.
    func answersWritten() {
        gate?.answersWritten()
        reads = 0
    }

    /// The protocol violation that the gate rejected, if any.
    var breach: PacketBreach? { gate?.breach }

    /// Writes the queue, as far as the socket accepts it.
    ///
    /// - Parameter isBatch: Whether several packets are queued: corks the socket, so that they share segments. The
    ///   library writes packet by packet, and Nagle's algorithm is off because it stalls.
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
        // The library may have closed the socket; the descriptor may be in use elsewhere by now.
        if isBatch, socket == descriptor { setCork(on: descriptor, to: 0) }
        return result
    }

    /// No effect on sockets other than TCP.
    private func setCork(on descriptor: Int32, to value: Int32) {
        var value = value
        _ = unsafe setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_CORK, &value, socklen_t(MemoryLayout<Int32>.size))
    }

    /// Sends PINGREQ when it is due, and ends the connection if PINGRESP is overdue. Call it about once a second.
    func keepAlive() -> LibraryCode {
        LibraryCode(rawValue: unsafe mosquitto_loop_misc(pointer), systemError: 0)
    }

    /// The error of an asynchronous `connect`, once the socket is ready; nil if it succeeded.
    func takeSocketError() -> Int32? {
        var value: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        let code = unsafe getsockopt(socket, SOL_SOCKET, SO_ERROR, &value, &length)
        return code != 0 ? errno : value == 0 ? nil : value
    }

    /// Stops collecting complaints: the log callback costs a formatted string per packet.
    func endComplaints() {
        unsafe mosquitto_log_callback_set(pointer, nil)
        callbacks.complaints = []
    }

    /// Begins to connect. Blocks if libmosquitto resolves `host`.
    ///
    /// - Parameter bindAddress: `0.0.0.0` or `::` restrict the library to one address family.
    func connect(
        host: String,
        port: UInt16,
        keepAlive: Duration,
        bindAddress: String?,
        properties: borrowing PropertyList
    ) -> LibraryCode {
        let seconds = Int32(keepAlive.seconds(upTo: 65_535))
        if version == .v5 {
            // The asynchronous call takes no properties. The blocking call stores them and then fails without a host
            // (2.0.11 and 2.1.2, connect.c); a test verifies that the properties arrive.
            _ = unsafe mosquitto_connect_bind_v5(pointer, nil, 0, seconds, nil, properties.pointer)
        }
        errno = 0
        let code = unsafe mosquitto_connect_bind_async(pointer, host, Int32(port), seconds, bindAddress)
        return LibraryCode(rawValue: code, systemError: errno)
    }

    /// Attaches buffers to a new socket, before any read or write.
    func attach(_ buffers: any SocketBuffering) {
        if socket >= 0, buffers.attach(socket) { self.buffers = buffers }
    }

    /// Whether libmosquitto has bypassed the buffers on an accepted connection. Then detaches the buffers, which are
    /// empty.
    func dropsIdleBuffers() -> Bool {
        guard let buffers, !buffers.isUsed(socket) else { return false }
        buffers.detach(socket)
        self.buffers = nil
        return true
    }

    /// Queues DISCONNECT after all other packets. libmosquitto closes the socket after writing it, so buffered bytes
    /// must be sent before.
    func disconnect() {
        buffers?.writeThrough(socket)
        _ = unsafe mosquitto_disconnect_v5(pointer, 0, nil)
    }
}
