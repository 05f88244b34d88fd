internal import CInterposition
internal import CMosquitto

/// libmosquitto itself: its version, its set-up, and its errors.
public enum Library {
    /// The version of the loaded library, which may be newer than the headers.
    public static var version: (major: Int, minor: Int, revision: Int) {
        var (major, minor, revision): (Int32, Int32, Int32) = (0, 0, 0)
        _ = unsafe mosquitto_lib_version(&major, &minor, &revision)
        return (Int(major), Int(minor), Int(revision))
    }

    /// The version as text: `2.0.11`.
    public static var versionText: String {
        let (major, minor, revision) = version
        return "\(major).\(minor).\(revision)"
    }

    private static let isInitialized = mosquitto_lib_init() == MOSQ_ERR_SUCCESS.rawValue

    /// Sets the library up, once per process. Never torn down: the process may use the library elsewhere.
    static func initialize() throws(ClientError) {
        guard isInitialized else {
            throw ClientError(.library, operation: "initialise libmosquitto", detail: "mosquitto_lib_init failed")
        }
        // Must precede the first connection.
        _ = PacketGate.obstacle
        ignoreBrokenPipes()
    }

    /// Ignores SIGPIPE, which a closed connection would raise, unless the program has set a disposition. Clients call
    /// it; libmosquitto 2.1 does not handle the signal.
    public static func ignoreBrokenPipes() { _ = ignore_broken_pipes() }

    /// The time until the next whole second of libmosquitto's clock. The library counts in seconds (2.0.11,
    /// time_mosq.c), so nothing becomes due in between.
    static var untilNextSecond: Duration {
        var now = timespec()
        _ = unsafe clock_gettime(CLOCK_MONOTONIC, &now)
        return .nanoseconds(1_000_000_000 - now.tv_nsec) + .milliseconds(1)
    }

    /// Frees OpenSSL's data of the calling thread. Call it before other threads learn that the thread is done. OpenSSL
    /// would otherwise free the data at the thread's end, and crash if the process exits meanwhile and OpenSSL has torn
    /// itself down.
    static func leaveThread() {
        OPENSSL_thread_stop()
    }
}

/// The return code of a libmosquitto call.
struct LibraryCode: Equatable {
    let rawValue: Int32
    /// The value of `errno` after the call.
    let systemError: Int32

    static let success = LibraryCode(rawValue: 0, systemError: 0)
    /// The peer has closed the connection.
    static let hangUp = LibraryCode(rawValue: MOSQ_ERR_CONN_LOST.rawValue, systemError: 0)

    init(rawValue: Int32, systemError: Int32) {
        (self.rawValue, self.systemError) = (rawValue, systemError)
    }

    /// Maps the end of the stream in the middle of a packet, which libmosquitto reports as `MOSQ_ERR_ERRNO` without an
    /// `errno` (2.0.11, packet_mosq.c).
    init(ofTransfer code: Int32, systemError: Int32) {
        let isEnd = code == MOSQ_ERR_ERRNO.rawValue && systemError == 0
        self.init(rawValue: isEnd ? MOSQ_ERR_CONN_LOST.rawValue : code, systemError: systemError)
    }

    var isSuccess: Bool { rawValue == MOSQ_ERR_SUCCESS.rawValue }

    /// Whether a read found no more bytes. The code may also come from the library's wake-up socket.
    var wouldBlock: Bool { systemError == EAGAIN }

    /// Whether the connection is broken although the code is success: libmosquitto returns that for failures during the
    /// TLS handshake (2.0.11, net_mosq.c, `SSL_ERROR_SYSCALL`).
    var isBroken: Bool {
        let signs = [ECONNREFUSED, ECONNRESET, EPIPE, ENOTCONN, EHOSTUNREACH, ENETUNREACH, ETIMEDOUT]
        return isSuccess && signs.contains(systemError)
    }

    /// Whether the peer has ended the connection. libmosquitto reports it as `EPROTO` once TLS is established.
    var isHangUp: Bool {
        rawValue == MOSQ_ERR_CONN_LOST.rawValue || [ECONNRESET, EPIPE, EPROTO].contains(systemError)
    }

    /// Own texts: the library's are incomplete (2.0.11, strings_mosq.c has none for 18 and others).
    var text: String {
        switch rawValue {
        case MOSQ_ERR_NOMEM.rawValue: "out of memory"
        case MOSQ_ERR_PROTOCOL.rawValue: "the peer does not follow the protocol"
        case MOSQ_ERR_INVAL.rawValue: "invalid argument"
        case MOSQ_ERR_NO_CONN.rawValue: "not connected"
        case MOSQ_ERR_CONN_REFUSED.rawValue: "refused"
        case MOSQ_ERR_CONN_LOST.rawValue: "the broker closed the connection"
        case MOSQ_ERR_TLS.rawValue: "TLS failure"
        case MOSQ_ERR_PAYLOAD_SIZE.rawValue: "payload too large"
        case MOSQ_ERR_NOT_SUPPORTED.rawValue: "not supported"
        case MOSQ_ERR_ERRNO.rawValue: SystemError.text(systemError)
        case MOSQ_ERR_EAI.rawValue: "host name look-up failed"
        case MOSQ_ERR_MALFORMED_UTF8.rawValue: "illegal text"
        case MOSQ_ERR_KEEPALIVE.rawValue: "no answer to a ping"
        case MOSQ_ERR_MALFORMED_PACKET.rawValue: "malformed packet"
        case MOSQ_ERR_DUPLICATE_PROPERTY.rawValue: "a property came twice"
        case MOSQ_ERR_TLS_HANDSHAKE.rawValue: "TLS handshake failed"
        case MOSQ_ERR_QOS_NOT_SUPPORTED.rawValue: "the broker does not offer this QoS"
        case MOSQ_ERR_OVERSIZE_PACKET.rawValue: "larger than the broker takes"
        case MOSQ_ERR_RETAIN_NOT_SUPPORTED.rawValue: "the broker keeps no messages"
        default: "code \(rawValue)"
        }
    }

    /// The error of a connection that ended with this code.
    func connectionError(_ operation: String) -> ClientError {
        switch rawValue {
        case MOSQ_ERR_MALFORMED_UTF8.rawValue:
            ClientError(
                .illegalTopic,
                operation: operation,
                detail: "the broker sent text that libmosquitto refuses (a topic with NUL, a control character or "
                    + "invalid UTF-8)",
                advice: "Find who publishes it; in a kept session it blocks all that comes after it. Deleting the "
                    + "session at the broker deletes the message, and what waits behind it"
            )
        case MOSQ_ERR_PROTOCOL.rawValue, MOSQ_ERR_MALFORMED_PACKET.rawValue, MOSQ_ERR_DUPLICATE_PROPERTY.rawValue:
            ClientError(.protocolError, operation: operation, detail: text)
        case MOSQ_ERR_KEEPALIVE.rawValue:
            ClientError(.keepAlive, operation: operation, detail: text)
        case MOSQ_ERR_TLS.rawValue, MOSQ_ERR_TLS_HANDSHAKE.rawValue:
            ClientError(.tlsHandshake, operation: operation, detail: text)
        case MOSQ_ERR_CONN_LOST.rawValue, MOSQ_ERR_NO_CONN.rawValue, MOSQ_ERR_ERRNO.rawValue:
            ClientError(.connectionLost, operation: operation, detail: text)
        default:
            ClientError(.library, operation: operation, detail: text)
        }
    }

    /// The error of a message that the library rejected.
    func publishError(_ topic: String) -> ClientError {
        let operation = "publish to \"\(escapedForLog(topic))\""
        return switch rawValue {
        case MOSQ_ERR_OVERSIZE_PACKET.rawValue, MOSQ_ERR_PAYLOAD_SIZE.rawValue:
            ClientError(.tooLarge, operation: operation, detail: text)
        case MOSQ_ERR_QOS_NOT_SUPPORTED.rawValue, MOSQ_ERR_NOT_SUPPORTED.rawValue:
            ClientError(.unsupported, operation: operation, detail: text)
        case MOSQ_ERR_MALFORMED_UTF8.rawValue, MOSQ_ERR_INVAL.rawValue:
            ClientError(.invalidTopic, operation: operation, detail: text)
        default:
            ClientError(.library, operation: operation, detail: text)
        }
    }
}
