import Locking

/// Buffers between libmosquitto and the sockets of its connections: see the product BufferedIO.
///
/// One thread at a time uses an attached socket, until libmosquitto closes it.
package protocol SocketBuffering: Sendable {
    /// Runs `body`, in which libmosquitto creates a handle, and with it a wake-up socket pair that no thread reads.
    func making<Result>(_ body: () -> Result) -> Result

    /// Attaches buffers to a socket. Returns false if none are left.
    func attach(_ socket: Int32) -> Bool

    /// Detaches the buffers, which must be empty.
    func detach(_ socket: Int32)

    /// Whether libmosquitto has read through the buffers.
    func isUsed(_ socket: Int32) -> Bool

    /// The number of bytes received and not yet read by libmosquitto.
    func unread(_ socket: Int32) -> Int

    /// The number of bytes written by libmosquitto and not yet sent.
    func unsent(_ socket: Int32) -> Int

    /// Sends buffered bytes. Returns 0 or an `errno` value: `EAGAIN` if the socket is full.
    func flush(_ socket: Int32) -> Int32

    /// From now on, sends the bytes of libmosquitto's writes before the call returns.
    func writeThrough(_ socket: Int32)
}

/// The buffers of this process, if any.
package enum SocketBuffers {
    private static let current = Locked<(any SocketBuffering)?>(nil)

    /// Sets the buffers for later connections.
    package static func use(_ buffers: any SocketBuffering) { current.withLock { $0 = buffers } }

    static var inUse: (any SocketBuffering)? { current.withLock { $0 } }
}
