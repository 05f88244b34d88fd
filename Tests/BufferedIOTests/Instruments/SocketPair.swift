import CBufferedIO
import Glibc
import TestSupport

/// The system's error number of a call that failed.
struct SystemFailure: Error, Equatable {
    let number: Int32
}

/// Two connected sockets that never block: ours, which is read and written as libmosquitto would, and the peer's.
///
/// Ours is closed as libmosquitto closes it, when the last reference goes.
final class SocketPair: Sendable {
    enum Kind {
        case stream
        /// The peer sees what one system call has sent.
        case packets
    }

    let ours: Int32
    private let peer: Int32
    private let isPeerOpen = Locked(true)

    /// - Parameter lowest: ours gets the first free number from there on. Threads of other tests and of the runtime
    ///   take the first free one of all, so that a number far above theirs is given again as soon as it is free.
    /// - Throws: `SystemFailure` when there are no sockets.
    init(_ kind: Kind = .stream, isAttached: Bool = true, lowest: Int32? = nil) throws {
        let type = kind == .stream ? SOCK_STREAM : SOCK_SEQPACKET
        var pair: [Int32] = [0, 0]
        let result = socketpair(AF_UNIX, Int32(type.rawValue | SOCK_NONBLOCK.rawValue), 0, &pair)
        guard result == 0 else { throw SystemFailure(number: errno) }
        if let lowest {
            defer { close(pair[0]) }
            ours = Int32(try checked { Int(fcntl(pair[0], F_DUPFD_CLOEXEC, lowest)) })
        } else {
            ours = pair[0]
        }
        peer = pair[1]
        guard !isAttached || buffered_io_attach(ours) else { throw FaultKitError("attach \(ours): no memory") }
    }

    deinit {
        _ = buffered_close(ours)
        closePeer()
    }

    var unread: Int { buffered_io_unread(ours) }
    var unsent: Int { buffered_io_unsent(ours) }

    /// What libmosquitto reads; empty at the end of the stream.
    func read(_ count: Int) throws -> [UInt8] { try bufferedRead(ours, count) }

    /// What libmosquitto writes. Returns how many bytes were taken.
    func write(_ bytes: some Sequence<UInt8>) throws -> Int {
        let bytes = Array(bytes)
        return try checked { buffered_write(ours, bytes, bytes.count) }
    }

    /// Returns 0 or the error.
    func flush() -> Int32 { buffered_io_flush(ours) }

    /// The peer writes as much as there is room for, which may be nothing.
    func peerWrites(_ bytes: some Sequence<UInt8>) throws -> Int {
        let bytes = Array(bytes)
        do {
            return try checked { send(peer, bytes, bytes.count, Int32(MSG_NOSIGNAL)) }
        } catch let failure as SystemFailure where failure.number == EAGAIN {
            return 0
        }
    }

    /// The peer reads what has arrived; nil where nothing has, empty at the end.
    func peerReads(_ count: Int = 1_000_000) throws -> [UInt8]? {
        do {
            return try filled(count) { recv(peer, $0, count, 0) }
        } catch let failure as SystemFailure where failure.number == EAGAIN {
            return nil
        }
    }

    /// The peer says that nothing more will come.
    func endPeer() { shutdown(peer, Int32(SHUT_WR)) }

    /// The peer takes nothing more.
    func deafenPeer() { shutdown(peer, Int32(SHUT_RD)) }

    /// The peer is gone; with a reset, where it has not read all that was sent.
    func closePeer() {
        isPeerOpen.withLock { isOpen in
            if isOpen { close(peer) }
            isOpen = false
        }
    }
}

/// What libmosquitto reads from a descriptor; empty at the end of the stream.
func bufferedRead(_ descriptor: Int32, _ count: Int) throws -> [UInt8] {
    try filled(count) { buffered_read(descriptor, $0, count) }
}

/// The result of a call, which tells of a failure by -1 and `errno`.
func checked(_ call: () -> Int) throws -> Int {
    let result = call()
    let number = errno
    guard result >= 0 else { throw SystemFailure(number: number) }
    return result
}

private func filled(_ count: Int, _ call: (UnsafeMutableRawPointer) -> Int) throws -> [UInt8] {
    try [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
        guard let start = buffer.baseAddress else { throw FaultKitError("read nothing: no room was given") }
        filled = try checked { call(start) }
    }
}
