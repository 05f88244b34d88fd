import Foundation
import Glibc

/// One end of a pipe, closed once. Descriptors are close-on-exec.
final class PipeEnd: Sendable {
    private let descriptor: Locked<Int32?>
    let number: Int32

    private init(_ number: Int32) {
        self.number = number
        descriptor = Locked(number)
    }

    deinit { close() }

    static func pair() throws -> (reading: PipeEnd, writing: PipeEnd) {
        var numbers: [Int32] = [0, 0]
        guard pipe(&numbers) == 0 else { throw TestSupportError.system("make a pipe", errno) }
        for number in numbers { _ = fcntl(number, F_SETFD, FD_CLOEXEC) }
        return (PipeEnd(numbers[0]), PipeEnd(numbers[1]))
    }

    func close() {
        descriptor.withLock { descriptor in
            if let open = descriptor { _ = Glibc.close(open) }
            descriptor = nil
        }
    }

    /// Waits for bytes and reads them; empty at the end, nil when the time is over first.
    func read(within limit: Duration) throws -> [UInt8]? {
        var entry = pollfd(fd: number, events: Int16(POLLIN), revents: 0)
        let ready = poll(&entry, 1, max(.zero, limit).milliseconds)
        if ready == 0 || ready < 0 && errno == EINTR { return nil }
        var buffer = [UInt8](repeating: 0, count: 65_536)
        let count = Glibc.read(number, &buffer, buffer.count)
        guard count >= 0 else { throw TestSupportError.system("read from a pipe", errno) }
        return Array(buffer[..<count])
    }

    /// Writes all bytes. SIGPIPE is never raised.
    ///
    /// - Throws: `TestSupportError` when the reader is gone or does not read for `limit`.
    func write(_ bytes: [UInt8], within limit: Duration = .seconds(30)) throws {
        try descriptor.withLock { descriptor in
            guard let open = descriptor else { throw TestSupportError("write to a pipe: it is closed") }
            _ = fcntl(open, F_SETFL, fcntl(open, F_GETFL) | O_NONBLOCK)
            let deadline = ContinuousClock.now + limit
            var rest = bytes[...]
            while !rest.isEmpty {
                let (count, code) = Self.writeWithoutSignal(open, rest)
                if count >= 0 {
                    rest = rest.dropFirst(count)
                } else if code == EAGAIN {
                    var entry = pollfd(fd: open, events: Int16(POLLOUT), revents: 0)
                    let left = deadline - ContinuousClock.now
                    guard left > .zero else { throw TestSupportError("write to a pipe: nobody reads") }
                    _ = poll(&entry, 1, left.milliseconds)
                } else if code != EINTR {
                    throw TestSupportError.system("write to a pipe", code)
                }
            }
        }
    }

    /// A pipe has no MSG_NOSIGNAL: the signal, which goes to the writing thread, is blocked and then taken away.
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
