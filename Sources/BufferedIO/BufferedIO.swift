internal import CBufferedIO
internal import Glibc
internal import Mosquitto

/// Fewer system calls for the same bytes: libmosquitto's reads and writes are served from memory.
///
/// The libmosquitto that distributions ship (2.0) makes three `read` calls and more for each packet, and writes a byte
/// into a pair of sockets for each one that it queues (2.0.11, packet_mosq.c). Once this is on, what
/// ``Mosquitto/Client``s connect afterwards reads 64 KiB at a time and sends what it has to write at once, 64 KiB at a
/// time. Nothing leaves earlier than it would: acknowledgements still wait until what they acknowledge is safe. A message
/// at QoS 0 counts as written once it is in memory here, from where the client sends it at once or as soon as the socket
/// takes more.
///
/// Only libmosquitto's calls are redirected, and only those for the clients' own connections; connections by TLS are
/// left as they are. A connection whose bytes turn out to take another way goes on without, which the client logs.
public enum BufferedIO {
    /// Whether it is on.
    public enum State: Sendable, Equatable {
        /// Clients that connect from now on use it.
        case on
        /// Everything is as it was, and why.
        case off(reason: String)
    }

    /// The environment variable that switches it off, by the value `off`.
    public static let environmentVariable = "MQTT_BRIDGE_BUFFERED_IO"

    private static let state = install()

    /// Switches it on for this process, for good. To be called before the first client connects; calling it again
    /// changes nothing and tells the same.
    @discardableResult
    public static func enable() -> State { state }

    private static func install() -> State {
        if let value = getenv(environmentVariable), String(cString: value) == "off" {
            return .off(reason: "\(environmentVariable) says so")
        }
        let version = Library.version
        guard (version.major, version.minor) < (2, 1) else {
            return .off(reason: "libmosquitto \(Library.versionText) has buffers of its own")
        }
        if let reason = buffered_io_install() { return .off(reason: String(cString: reason)) }
        SocketBuffers.use(LibraryBuffers())
        return .on
    }
}

/// The buffers, as the client sees them.
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
