internal import CBufferedIO
internal import Glibc
internal import Mosquitto

/// Buffers libmosquitto's reads and writes to reduce its system calls.
///
/// The libmosquitto of most distributions (2.0) makes at least three `read` calls for each packet, and writes a byte
/// into a pair of sockets for each packet that it queues (2.0.11, packet_mosq.c). With buffering, later connections of
/// ``/Mosquitto/Client``s read and send up to 64 KiB at a time. Nothing is sent earlier than without it:
/// acknowledgements still wait until the acknowledged message is safe. A message at QoS 0 counts as written once it is
/// in the buffer. The client flushes the buffer at once, or when the socket becomes writable.
///
/// It redirects only the calls of libmosquitto, and only for the clients' own connections. TLS connections are not
/// buffered. If a connection turns out to bypass its buffer, it continues without one, and the client logs that.
public enum BufferedIO {
    /// The state of buffering in this process.
    public enum State: Sendable, Equatable {
        /// Later connections are buffered.
        case on
        /// Connections are not buffered, for this reason.
        case off(reason: String)
    }

    /// The environment variable that disables buffering with the value `off`.
    public static let environmentVariable = "MQTT_BRIDGE_BUFFERED_IO"

    private static let state = install()

    /// Enables buffering for the rest of this process. Call it before the first client connects. A repeated call
    /// changes nothing and returns the same state.
    @discardableResult
    public static func enable() -> State { state }

    private static func install() -> State {
        if let value = getenv(environmentVariable), String(cString: value) == "off" {
            return .off(reason: "\(environmentVariable) is off")
        }
        if let obstacle = PacketGate.obstacle { return .off(reason: obstacle) }
        if let reason = buffered_io_install() { return .off(reason: String(cString: reason)) }
        SocketBuffers.use(LibraryBuffers())
        return .on
    }
}

/// Adapts the C buffers to the client's protocol.
private struct LibraryBuffers: SocketBuffering {
    func making<Result>(_ body: () -> Result) -> Result {
        buffered_io_set_making(true)
        defer { buffered_io_set_making(false) }
        return body()
    }

    func attach(_ socket: Int32) -> Bool { buffered_io_attach(socket) }
    func detach(_ socket: Int32) { buffered_io_detach(socket) }
    func isUsed(_ socket: Int32) -> Bool { buffered_io_is_used(socket) }
    func unread(_ socket: Int32) -> Int { buffered_io_unread(socket) }
    func unsent(_ socket: Int32) -> Int { buffered_io_unsent(socket) }
    func flush(_ socket: Int32) -> Int32 { buffered_io_flush(socket) }
    func writeThrough(_ socket: Int32) { buffered_io_write_through(socket) }
}
