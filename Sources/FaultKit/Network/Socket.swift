internal import Foundation
internal import Glibc
internal import Locking

/// A local TCP or Unix domain socket that is closed exactly once.
///
/// Threads use the descriptor under the lock that closes it: after the close, its number may belong to another file.
/// Calls under the lock never block.
package final class Socket: Sendable {
    private let descriptor: Locked<Int32?>
    /// The descriptor for poll(2), which waits outside the lock. If its number is reused, the wait at worst ends too early.
    let number: Int32

    /// Takes ownership of a descriptor.
    init(_ number: Int32) {
        self.number = number
        descriptor = Locked(number)
    }

    deinit { close() }

    /// Calls `body` with the descriptor, or returns nil if the socket is closed.
    func use<Result>(_ body: (Int32) -> Result) -> Result? {
        descriptor.withLock { $0.map(body) }
    }

    /// Ends the connection in both directions and wakes all threads that wait for the socket.
    package func shutdown() { _ = use { Glibc.shutdown($0, Int32(SHUT_RDWR)) } }

    /// Sends RST, discards unsent bytes and wakes all waiting threads. The descriptor stays open.
    package func reset() {
        // On Linux, connecting to AF_UNSPEC (0) ends a connection without a close (connect(2)).
        var nowhere = sockaddr()
        _ = use { connect($0, &nowhere, socklen_t(MemoryLayout<sockaddr>.size)) }
    }

    /// Closes the socket; a second call does nothing.
    package func close() {
        descriptor.withLock { descriptor in
            if let open = descriptor { _ = Glibc.close(open) }
            descriptor = nil
        }
    }

    /// Waits until the socket is readable, at its end or failed. Returns false if the limit passes first.
    package func isReadable(within limit: Duration) -> Bool {
        let deadline = ContinuousClock.now + limit
        while true {
            var entry = pollfd(fd: number, events: Int16(POLLIN), revents: 0)
            let left = max(.zero, deadline - ContinuousClock.now)
            let count = poll(&entry, 1, left.milliseconds)
            if count > 0 { return true }
            if count == 0, ContinuousClock.now >= deadline { return false }
        }
    }

    /// The result of a read.
    package enum Input {
        case bytes([UInt8])
        case nothing
        /// The end of the stream, a failure such as a reset, or a socket closed by this process.
        case end(hasFailed: Bool)
    }

    /// Reads available bytes, at most `limit`, without blocking.
    package func receive(atMost limit: Int = 65_536) -> Input {
        var buffer = [UInt8](repeating: 0, count: limit)
        let (count, error) = use { (recv($0, &buffer, limit, Int32(MSG_DONTWAIT)), errno) } ?? (0, 0)
        if count > 0 { return .bytes(Array(buffer[..<count])) }
        return count < 0 && (error == EAGAIN || error == EINTR) ? .nothing : .end(hasFailed: count < 0)
    }

    /// Sends as many bytes as there is room for, without blocking. Never raises SIGPIPE.
    ///
    /// - Returns: The number of bytes sent.
    /// - Throws: ``FaultKitError`` if the socket is closed or the peer is gone.
    package func sendNow(_ bytes: ArraySlice<UInt8>) throws -> Int {
        let flags = Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT)
        let result = use { open in
            let count = bytes.withUnsafeBytes { Glibc.send(open, $0.baseAddress, $0.count, flags) }
            return (count: count, error: errno)
        }
        guard let result else { throw FaultKitError("write to a socket: it is closed") }
        if result.count >= 0 { return result.count }
        if result.error == EAGAIN || result.error == EINTR { return 0 }
        throw FaultKitError.system("write to a socket", result.error)
    }

    /// Sends all bytes.
    ///
    /// - Throws: ``FaultKitError`` if the socket is closed, the peer is gone, or it does not read for `limit`.
    package func send(_ bytes: [UInt8], within limit: Duration = .seconds(30)) throws {
        let deadline = ContinuousClock.now + limit
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = try sendNow(rest)
            rest = rest.dropFirst(count)
            guard count == 0 else { continue }
            let left = deadline - ContinuousClock.now
            guard left > .zero else { throw FaultKitError("write to a socket: the peer does not read") }
            var entry = pollfd(fd: number, events: Int16(POLLOUT), revents: 0)
            _ = poll(&entry, 1, min(left, .milliseconds(100)).milliseconds)
        }
    }
}
