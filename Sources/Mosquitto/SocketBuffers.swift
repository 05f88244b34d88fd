import Locking

/// What may stand between libmosquitto and the sockets of its connections: see the product BufferedIO.
///
/// A socket that is attached is used by one thread at a time, until libmosquitto closes it.
package protocol SocketBuffering: Sendable {
    /// Runs `body`, in which libmosquitto makes a handle of ours, and with it a pair of sockets that nobody reads.
    func making<Result>(_ body: () -> Result) -> Result

    /// Puts buffers before a socket. Returns false where there are none left.
    func attach(_ socket: Int32) -> Bool

    /// Takes the buffers away, which must be empty.
    func detach(_ socket: Int32)

    /// Whether libmosquitto has read through them.
    func isUsed(_ socket: Int32) -> Bool

    /// How many bytes were received and not read by libmosquitto yet.
    func unread(_ socket: Int32) -> Int

    /// How many bytes were written by libmosquitto and not sent yet.
    func unsent(_ socket: Int32) -> Int

    /// Sends what was not sent yet. Returns 0 or an error number: `EAGAIN` when the socket takes no more for now.
    func flush(_ socket: Int32) -> Int32

    /// From now on what libmosquitto writes is sent before its call returns.
    func writeThrough(_ socket: Int32)
}

/// The buffers that this process uses, if any.
package enum SocketBuffers {
    private static let current = Locked<(any SocketBuffering)?>(nil)

    /// What connections that are made from now on use.
    package static func use(_ buffers: any SocketBuffering) { current.withLock { $0 = buffers } }

    static var inUse: (any SocketBuffering)? { current.withLock { $0 } }
}
