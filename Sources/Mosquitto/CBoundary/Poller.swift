internal import CMosquitto
internal import Glibc
internal import Synchronization

/// Wakes a thread from ``Poller/wait(socket:wantsRead:wantsWrite:timeout:)``. Callable from any thread.
///
/// Waking a running thread costs no system call: the thread finds the wake-up before it sleeps.
final class Waker: Sendable {
    private enum Sleeper {
        static let awake: UInt8 = 0
        static let asleep: UInt8 = 1
        static let called: UInt8 = 2
    }

    private let sleeper = Atomic(Sleeper.awake)
    let descriptor: Int32 = eventfd(0, Int32(EFD_NONBLOCK) | Int32(EFD_CLOEXEC))

    init() {
        precondition(descriptor >= 0, "cannot make an eventfd: \(SystemError.text(errno))")
    }

    deinit {
        close(descriptor)
    }

    func wake() {
        guard sleeper.exchange(Sleeper.called, ordering: .acquiringAndReleasing) == Sleeper.asleep else { return }
        _ = eventfd_write(descriptor, 1)
    }

    /// The thread is about to sleep. Returns false if it was woken since its last sleep.
    fileprivate func fallAsleep() -> Bool {
        sleeper.compareExchange(
            expected: Sleeper.awake,
            desired: Sleeper.asleep,
            ordering: .acquiringAndReleasing
        ).exchanged
    }

    /// The thread has woken. Called before it looks for work: a later wake-up counts for its next sleep.
    fileprivate func awake(isReadable: Bool) {
        if isReadable {
            var value: eventfd_t = 0
            _ = unsafe eventfd_read(descriptor, &value)
        }
        _ = sleeper.exchange(Sleeper.awake, ordering: .acquiringAndReleasing)
    }
}

/// Waits until a socket is ready or the thread is woken.
struct Poller {
    struct Readiness {
        var readable = false
        var writable = false
        var failed = false
    }

    /// `POLLRDHUP` (Linux, asm-generic/poll.h), which glibc hides without `_GNU_SOURCE`: the peer has shut down
    /// writing.
    private static let hangUp: Int32 = 0x2000

    let waker: Waker

    /// - Parameters:
    ///   - socket: Negative for none.
    ///   - wantsRead: If false, a peer that has closed its end is reported as `failed`: no read would notice it.
    ///   - timeout: The longest wait; zero polls.
    func wait(socket: Int32, wantsRead: Bool, wantsWrite: Bool, timeout: Duration) -> Readiness {
        var watched = (
            pollfd(fd: waker.descriptor, events: Int16(POLLIN), revents: 0),
            pollfd(
                fd: socket,
                events: Int16(wantsRead ? POLLIN : Self.hangUp) | (wantsWrite ? Int16(POLLOUT) : 0),
                revents: 0
            )
        )
        let sleeps = timeout > .zero && waker.fallAsleep()
        let milliseconds = sleeps ? (timeout.nanoseconds + 999_999) / 1_000_000 : 0
        // SAFETY: a tuple of two equal structs has the layout of an array of two.
        unsafe withUnsafeMutableBytes(of: &watched) { bytes in
            let entries = unsafe bytes.baseAddress!.assumingMemoryBound(to: pollfd.self)
            _ = unsafe poll(entries, 2, Int32(clamping: milliseconds))
        }
        waker.awake(isReadable: watched.0.revents != 0)
        let ready = watched.1.revents
        return Readiness(
            readable: ready & Int16(POLLIN | POLLHUP) != 0,
            writable: ready & Int16(POLLOUT) != 0,
            failed: ready & Int16(POLLERR | POLLHUP | Self.hangUp | POLLNVAL) != 0
        )
    }
}
