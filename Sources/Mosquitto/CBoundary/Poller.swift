internal import CMosquitto
internal import Glibc
internal import Synchronization

/// Wakes a thread that sleeps in ``Poller/wait(socket:wantsWrite:timeout:)``, from any thread.
final class Waker: Sendable {
    private let isPending = Atomic(false)
    let descriptor: Int32 = eventfd(0, Int32(EFD_NONBLOCK) | Int32(EFD_CLOEXEC))

    init() {
        precondition(descriptor >= 0, "cannot make an eventfd: \(SystemError.text(errno))")
    }

    deinit {
        close(descriptor)
    }

    /// Any number of calls before the thread wakes cost one system call.
    func wake() {
        guard !isPending.exchange(true, ordering: .acquiringAndReleasing) else { return }
        _ = eventfd_write(descriptor, 1)
    }

    /// Called by the thread that woke, before it looks at what it was woken for: what comes later wakes it again.
    fileprivate func accept() {
        var value: eventfd_t = 0
        _ = unsafe eventfd_read(descriptor, &value)
        isPending.store(false, ordering: .sequentiallyConsistent)
    }
}

/// Waits until a socket is ready or the thread is woken.
struct Poller {
    struct Readiness {
        var readable = false
        var writable = false
        var failed = false
    }

    /// `POLLRDHUP` (Linux, asm-generic/poll.h), which glibc hides without `_GNU_SOURCE`: the peer writes no more.
    private static let hangUp: Int32 = 0x2000

    let waker: Waker

    /// - Parameters:
    ///   - socket: Negative for none.
    ///   - wantsRead: Where not, a peer that has closed its end shows as `failed`: nobody would read it otherwise.
    ///   - timeout: How long at most; zero looks and returns.
    func wait(socket: Int32, wantsRead: Bool, wantsWrite: Bool, timeout: Duration) -> Readiness {
        var watched = (
            pollfd(fd: waker.descriptor, events: Int16(POLLIN), revents: 0),
            pollfd(
                fd: socket,
                events: Int16(wantsRead ? POLLIN : Self.hangUp) | (wantsWrite ? Int16(POLLOUT) : 0),
                revents: 0
            )
        )
        let milliseconds = (max(.zero, timeout).nanoseconds + 999_999) / 1_000_000
        // SAFETY: a tuple of two equal structs is laid out as an array of two.
        unsafe withUnsafeMutableBytes(of: &watched) { bytes in
            let entries = unsafe bytes.baseAddress!.assumingMemoryBound(to: pollfd.self)
            _ = unsafe poll(entries, 2, Int32(clamping: milliseconds))
        }
        if watched.0.revents != 0 { waker.accept() }
        let ready = watched.1.revents
        return Readiness(
            readable: ready & Int16(POLLIN | POLLHUP) != 0,
            writable: ready & Int16(POLLOUT) != 0,
            failed: ready & Int16(POLLERR | POLLHUP | Self.hangUp | POLLNVAL) != 0
        )
    }
}
