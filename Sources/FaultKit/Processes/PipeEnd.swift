internal import Foundation
internal import Glibc
internal import Locking

/// One end of a pipe, closed exactly once. Descriptors are close-on-exec.
///
/// Threads use the descriptor under the lock that closes it; calls under the lock never block.
package final class PipeEnd: Sendable {
    private let descriptor: Locked<Int32?>
    /// The descriptor, for starting a child and for poll(2), which waits outside the lock.
    package let number: Int32

    private init(_ number: Int32) {
        self.number = number
        descriptor = Locked(number)
    }

    deinit { close() }

    /// Makes a pipe.
    package static func pair() throws -> (reading: PipeEnd, writing: PipeEnd) {
        var numbers: [Int32] = [0, 0]
        guard pipe(&numbers) == 0 else { throw FaultKitError.system("make a pipe") }
        for number in numbers { _ = fcntl(number, F_SETFD, FD_CLOEXEC) }
        return (PipeEnd(numbers[0]), PipeEnd(numbers[1]))
    }

    /// Closes this end; a second call does nothing.
    package func close() {
        descriptor.withLock { descriptor in
            if let open = descriptor { _ = Glibc.close(open) }
            descriptor = nil
        }
    }

    /// Waits for bytes and reads them. Returns an empty slice at the end, nil if the limit passes first.
    ///
    /// Only one thread may read: a second reader could take the bytes that this one waited for.
    func read(within limit: Duration) -> ArraySlice<UInt8>? {
        var entry = pollfd(fd: number, events: Int16(POLLIN), revents: 0)
        guard poll(&entry, 1, limit.milliseconds) > 0 else { return nil }
        var buffer = [UInt8](repeating: 0, count: 65_536)
        let count = descriptor.withLock { $0.map { Glibc.read($0, &buffer, buffer.count) } } ?? 0
        return buffer[..<max(0, count)]
    }

    /// Writes as many bytes as there is room for. Never raises SIGPIPE.
    ///
    /// - Returns: The number of bytes written.
    /// - Throws: ``FaultKitError`` if this end is closed or the reader is gone.
    package func writeNow(_ bytes: ArraySlice<UInt8>) throws -> Int {
        let result = descriptor.withLock { descriptor in
            descriptor.map { open in
                _ = fcntl(open, F_SETFL, fcntl(open, F_GETFL) | O_NONBLOCK)
                return Self.writeWithoutSignal(open, bytes)
            }
        }
        guard let (count, code) = result else { throw FaultKitError("write to a pipe: it is closed") }
        if count >= 0 { return count }
        if code == EAGAIN || code == EINTR { return 0 }
        throw FaultKitError.system("write to a pipe", code)
    }

    /// Waits until there is room for bytes or `limit` passes.
    package func waitForRoom(within limit: Duration) {
        var entry = pollfd(fd: number, events: Int16(POLLOUT), revents: 0)
        _ = poll(&entry, 1, max(.zero, limit).milliseconds)
    }

    /// Writes all bytes.
    ///
    /// - Throws: ``FaultKitError`` if this end is closed, or the reader is gone or does not read for `limit`.
    package func write(_ bytes: [UInt8], within limit: Duration = .seconds(30)) throws {
        let deadline = ContinuousClock.now + limit
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = try writeNow(rest)
            rest = rest.dropFirst(count)
            guard count == 0 else { continue }
            let left = deadline - ContinuousClock.now
            guard left > .zero else { throw FaultKitError("write to a pipe: nobody reads") }
            waitForRoom(within: min(left, .milliseconds(100)))
        }
    }

    /// Writes while SIGPIPE, which goes to the writing thread, is blocked, then removes a pending one: pipes have no
    /// MSG_NOSIGNAL.
    private static func writeWithoutSignal(_ number: Int32, _ bytes: ArraySlice<UInt8>) -> (Int, Int32) {
        var pipeSignal = sigset_t()
        sigemptyset(&pipeSignal)
        sigaddset(&pipeSignal, SIGPIPE)
        var before = sigset_t()
        pthread_sigmask(SIG_BLOCK, &pipeSignal, &before)
        defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
        let count = bytes.withUnsafeBytes { Glibc.write(number, $0.baseAddress, $0.count) }
        let code = errno
        if count < 0, code == EPIPE {
            var now = timespec(tv_sec: 0, tv_nsec: 0)
            sigtimedwait(&pipeSignal, nil, &now)
        }
        return (count, code)
    }
}
