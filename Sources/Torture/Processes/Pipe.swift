internal import Foundation
internal import Glibc
internal import Locking

/// A pipe whose two ends are closed once each.
final class Pipe: Sendable {
    let read: Int32
    let write: Int32
    private let open = Locked((read: true, write: true))

    init() throws {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw Failure.system("make a pipe") }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        (read, write) = (ends[0], ends[1])
    }

    deinit {
        closeRead()
        closeWrite()
    }

    func closeRead() {
        open.withLock { open in
            if open.read { close(read) }
            open.read = false
        }
    }

    func closeWrite() {
        open.withLock { open in
            if open.write { close(write) }
            open.write = false
        }
    }
}

/// Reads lines from a pipe on a thread of its own until the writer is gone.
///
/// Only the last `keep` bytes are kept as text. While it is paused the pipe fills up, and the writer waits.
final class OutputReader: Sendable {
    private struct State {
        var kept: [UInt8] = []
        var isPaused = false
        var isAbandoned = false
    }

    private let state = Locked(State())
    private let ended = DispatchSemaphore(value: 0)

    /// - Parameter line: Called on the reader's thread with each complete line: what a killed writer has begun and not
    ///   ended is no line.
    init(_ pipe: Pipe, keep: Int, line: (@Sendable ([UInt8]) -> Void)? = nil) {
        Thread.detachNewThread { [self] in
            read(pipe, keep: keep, line: line)
            pipe.closeRead()
            ended.signal()
        }
    }

    var isPaused: Bool {
        get { state.withLock { $0.isPaused } }
        set { state.withLock { $0.isPaused = newValue } }
    }

    /// The last of what came.
    var text: String { state.withLock { String(decoding: $0.kept, as: UTF8.self) } }

    /// Waits until everything was read; gives up after `limit`, as when a grandchild keeps the pipe open.
    func join(within limit: Duration) {
        state.withLock { $0.isPaused = false }
        if ended.wait(timeout: .now() + limit.inSeconds) == .timedOut { state.withLock { $0.isAbandoned = true } }
        ended.signal()
    }

    private func read(_ pipe: Pipe, keep: Int, line: (([UInt8]) -> Void)?) {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        var rest: [UInt8] = []
        while true {
            let (isPaused, isAbandoned) = state.withLock { ($0.isPaused, $0.isAbandoned) }
            if isAbandoned { return }
            if isPaused {
                usleep(2_000)
                continue
            }
            var entry = pollfd(fd: pipe.read, events: Int16(POLLIN), revents: 0)
            guard poll(&entry, 1, 20) != 0 else { continue }
            let count = Glibc.read(pipe.read, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return }
            if keep > 0 {
                state.withLock { state in
                    state.kept += buffer[..<count]
                    if state.kept.count > keep { state.kept.removeFirst(state.kept.count - keep) }
                }
            }
            if let line { Self.split(buffer[..<count], &rest, line) }
        }
    }

    private static func split(_ bytes: ArraySlice<UInt8>, _ rest: inout [UInt8], _ line: ([UInt8]) -> Void) {
        var begin = bytes.startIndex
        while let end = bytes[begin...].firstIndex(of: UInt8(ascii: "\n")) {
            line(rest + bytes[begin..<end])
            rest.removeAll(keepingCapacity: true)
            begin = end + 1
        }
        rest += bytes[begin...]
    }
}

extension Duration {
    var inSeconds: Double {
        Double(components.seconds) + Double(components.attoseconds) * 1e-18
    }
}
