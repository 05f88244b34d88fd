internal import Dispatch
internal import Foundation
internal import Glibc
internal import Locking

/// Reads lines from a pipe on its own thread until the writer closes it.
///
/// Keeps only the last `keep` bytes as text. While the reader is paused the pipe fills up, which blocks the writer.
package final class OutputReader: Sendable {
    private struct State {
        var kept: ArraySlice<UInt8> = []
        var isPaused = false
        var isAbandoned = false
        var isAtEnd = false
    }

    private let state = Locked(State())
    private let ended = DispatchSemaphore(value: 0)

    /// Starts reading; closes the pipe at the end.
    ///
    /// - Parameter line: Called on the reader's thread with each line without its line feed, and at the end with the
    ///   remaining text if the writer did not end its last line.
    package init(
        _ pipe: PipeEnd,
        keep: Int = 0,
        line: (@Sendable (_ line: ArraySlice<UInt8>, _ isEnded: Bool) -> Void)? = nil
    ) {
        Thread.detachNewThread { [self] in
            read(pipe, keep: keep, line: line)
            pipe.close()
            state.withLock { $0.isAtEnd = true }
            ended.signal()
        }
    }

    /// Whether reading is paused.
    package var isPaused: Bool {
        get { state.withLock { $0.isPaused } }
        set { state.withLock { $0.isPaused = newValue } }
    }

    /// Whether the reader has reached the end or was abandoned.
    package var isAtEnd: Bool { state.withLock { $0.isAtEnd } }

    /// The last `keep` bytes as text.
    package var text: String { state.withLock { String(decoding: $0.kept, as: UTF8.self) } }

    /// Resumes reading and waits for the end. After `limit` it abandons the pipe, which a grandchild may keep open.
    package func join(within limit: Duration) {
        isPaused = false
        if ended.wait(timeout: .now() + limit.inSeconds) == .timedOut { abandon() }
        ended.signal()
    }

    /// Stops reading, even if a grandchild keeps the pipe open.
    package func abandon() { state.withLock { $0.isAbandoned = true } }

    private func read(
        _ pipe: PipeEnd,
        keep: Int,
        line: ((_ line: ArraySlice<UInt8>, _ isEnded: Bool) -> Void)?
    ) {
        var rest: ArraySlice<UInt8> = []
        while true {
            let (isPaused, isAbandoned) = state.withLock { ($0.isPaused, $0.isAbandoned) }
            if isAbandoned { return }
            if isPaused {
                usleep(2_000)
                continue
            }
            guard let bytes = pipe.read(within: .milliseconds(20)) else { continue }
            if bytes.isEmpty { break }
            if keep > 0 { state.withLock { $0.kept = ($0.kept + bytes).suffix(keep) } }
            guard let line else { continue }
            var begin = bytes.startIndex
            while let end = bytes[begin...].firstIndex(of: UInt8(ascii: "\n")) {
                line(rest + bytes[begin..<end], true)
                (rest, begin) = ([], end + 1)
            }
            rest += bytes[begin...]
        }
        if !rest.isEmpty { line?(rest, false) }
    }
}
