internal import Glibc

/// Keeps a connection open that libmosquitto closes right after it has written DISCONNECT.
///
/// Closing a socket with unread input resets the connection. A broker that is writing then fails before it reads
/// DISCONNECT, and publishes the will of a client that has left in order. So this type shuts down only the writing
/// side, and discards input until the broker closes its end.
struct LingeringSocket: ~Copyable {
    private let descriptor: Int32

    /// Duplicates the descriptor.
    init(_ socket: Int32) {
        descriptor = fcntl(socket, F_DUPFD_CLOEXEC, 0)
    }

    deinit {
        if descriptor >= 0 { close(descriptor) }
    }

    /// Returns when the broker has closed its end, or when the time is up.
    func finish(within limit: Duration) {
        guard descriptor >= 0, shutdown(descriptor, Int32(SHUT_WR)) == 0 else { return }
        let clock = ContinuousClock()
        let deadline = clock.now + limit
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let left = clock.now.duration(to: deadline).nanoseconds / 1_000_000
            guard left > 0 else { return }
            var watched = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            guard unsafe poll(&watched, 1, Int32(clamping: left)) > 0 else { return }
            let count = unsafe buffer.withUnsafeMutableBytes { bytes in
                unsafe recv(descriptor, bytes.baseAddress, bytes.count, Int32(MSG_DONTWAIT))
            }
            if count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR) { return }
        }
    }
}
