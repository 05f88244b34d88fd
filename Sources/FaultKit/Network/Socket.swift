internal import Foundation
internal import Glibc
internal import Locking

/// A TCP or unix socket of this machine that is closed once.
///
/// Every thread uses the descriptor under the lock that closes it: after the close its number may be another file's.
/// Calls under the lock never wait.
package final class Socket: Sendable {
    private let descriptor: Locked<Int32?>
    /// The number for poll(2), which waits outside the lock; if it is another file's, the wait ends too early at worst.
    let number: Int32

    /// Takes over a descriptor.
    init(_ number: Int32) {
        self.number = number
        descriptor = Locked(number)
    }

    deinit { close() }

    /// Calls `body` with the descriptor, or returns nil if the socket is closed.
    func use<Result>(_ body: (Int32) -> Result) -> Result? {
        descriptor.withLock { $0.map(body) }
    }

    /// Wakes every thread that waits for the socket; the connection is over in both directions.
    package func shutdown() { _ = use { Glibc.shutdown($0, Int32(SHUT_RDWR)) } }

    /// Sends RST, discards unsent bytes and wakes every thread that waits. The descriptor stays open.
    package func reset() {
        // Connecting to AF_UNSPEC, which is 0, is how Linux ends a connection without a close (connect(2)).
        var nowhere = sockaddr()
        _ = use { connect($0, &nowhere, socklen_t(MemoryLayout<sockaddr>.size)) }
    }

    /// Closes the socket once.
    package func close() {
        descriptor.withLock { descriptor in
            if let open = descriptor { _ = Glibc.close(open) }
            descriptor = nil
        }
    }

    /// Waits until the socket is readable, at its end, or failed. False when the time is over.
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
        /// The end of the stream, a failure such as a reset, or a socket that is closed here.
        case end(hasFailed: Bool)
    }

    /// Reads the bytes that are there, at most `limit`, and does not wait.
    package func receive(atMost limit: Int = 65_536) -> Input {
        var buffer = [UInt8](repeating: 0, count: limit)
        let (count, error) = use { (recv($0, &buffer, limit, Int32(MSG_DONTWAIT)), errno) } ?? (0, 0)
        if count > 0 { return .bytes(Array(buffer[..<count])) }
        return count < 0 && (error == EAGAIN || error == EINTR) ? .nothing : .end(hasFailed: count < 0)
    }

    /// Sends the bytes for which there is room, and does not wait. SIGPIPE is never raised.
    ///
    /// - Returns: How many were sent.
    /// - Throws: ``FaultKitError`` when the socket is closed or the peer is gone.
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
    /// - Throws: ``FaultKitError`` when the socket is closed, the peer is gone, or it does not read for `limit`.
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
