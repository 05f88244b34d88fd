import Foundation
import Glibc

/// A socket that one thread reads, writes and closes, and that any thread may shut down.
///
/// Only the owner closes: a descriptor closed under a thread that polls it could be somebody else's by then.
final class Socket: Sendable {
    private let descriptor: Locked<Int32?>
    /// The number for calls of the owner; never used after `close()`.
    let number: Int32

    init(_ number: Int32) {
        self.number = number
        descriptor = Locked(number)
    }

    deinit { close() }

    /// Wakes whoever waits for the socket; the connection is over in both directions.
    func shutdown() {
        descriptor.withLock { if let open = $0 { _ = Glibc.shutdown(open, Int32(SHUT_RDWR)) } }
    }

    /// Sends RST and throws away what was not sent; wakes whoever waits. The descriptor stays open.
    func reset() {
        descriptor.withLock { descriptor in
            guard let open = descriptor else { return }
            // Connecting to AF_UNSPEC, which is 0, is how Linux ends a connection without a close (connect(2)).
            var nowhere = sockaddr()
            _ = connect(open, &nowhere, socklen_t(MemoryLayout<sockaddr>.size))
        }
    }

    /// Closes the socket once.
    func close() {
        descriptor.withLock { descriptor in
            if let open = descriptor { _ = Glibc.close(open) }
            descriptor = nil
        }
    }

    /// Waits until the socket is readable, at its end, or failed. False when the time is over.
    func isReadable(within limit: Duration) -> Bool {
        let deadline = ContinuousClock.now + limit
        while true {
            var entry = pollfd(fd: number, events: Int16(POLLIN), revents: 0)
            let left = max(.zero, deadline - ContinuousClock.now)
            let count = poll(&entry, 1, left.milliseconds)
            if count > 0 { return true }
            if count == 0, ContinuousClock.now >= deadline { return false }
        }
    }

    /// Waits for bytes and reads them, at most `limit`; empty at the end of the stream and after a reset.
    ///
    /// - Throws: `TestSupportError` for any other failure.
    func receive(atMost limit: Int = 65_536) throws -> [UInt8] {
        var buffer = [UInt8](repeating: 0, count: limit)
        while true {
            let count = recv(number, &buffer, limit, 0)
            if count >= 0 { return Array(buffer[..<count]) }
            if errno == ECONNRESET || errno == ENOTCONN { return [] }
            if errno != EINTR { throw TestSupportError.system("read from a socket", errno) }
        }
    }

    /// Sends all bytes. SIGPIPE is never raised.
    ///
    /// - Throws: `TestSupportError` when the peer is gone or does not read for `limit`.
    func send(_ bytes: [UInt8], within limit: Duration = .seconds(30)) throws {
        let deadline = ContinuousClock.now + limit
        var rest = bytes[...]
        while !rest.isEmpty {
            let flags = Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT)
            let count = rest.withUnsafeBytes { Glibc.send(number, $0.baseAddress, $0.count, flags) }
            if count >= 0 {
                rest = rest.dropFirst(count)
            } else if errno == EAGAIN {
                var entry = pollfd(fd: number, events: Int16(POLLOUT), revents: 0)
                let left = deadline - ContinuousClock.now
                guard left > .zero else { throw TestSupportError("write to a socket: the peer does not read") }
                _ = poll(&entry, 1, left.milliseconds)
            } else if errno != EINTR {
                throw TestSupportError.system("write to a socket", errno)
            }
        }
    }
}

extension Duration {
    /// Whole milliseconds, rounded up, for poll(2).
    var milliseconds: Int32 {
        let (seconds, attoseconds) = components
        return Int32(clamping: seconds * 1_000 + (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000)
    }
}
