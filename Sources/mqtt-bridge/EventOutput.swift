import AsyncEventBus
import Glibc
import Locking

/// Writes events to standard output, each with one call, so that a line is there as soon as the event is.
final class EventOutput: Sendable {
    private struct State {
        var isClosed = false
        var closed: (@Sendable () async -> Void)?
    }

    private let format: EventFormat
    private let colours = isatty(STDOUT_FILENO) == 1
    private let state = Locked(State())

    init(format: EventFormat) {
        self.format = format
    }

    /// What to do when nobody reads any more.
    func onClosed(_ body: @escaping @Sendable () async -> Void) {
        state.withLock { $0.closed = body }
    }

    func write(_ event: Event) {
        write(line: format.line(for: event, colours: colours))
    }

    func write(line: String) {
        let bytes = Array((line + "\n").utf8)
        var written = 0
        while written < bytes.count {
            let count = bytes.withUnsafeBytes {
                Glibc.write(STDOUT_FILENO, $0.baseAddress! + written, bytes.count - written)
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return close() }
            written += count
        }
    }

    private func close() {
        let closed = state.withLock { state in
            defer { state.isClosed = true }
            return state.isClosed ? nil : state.closed
        }
        guard let closed else { return }
        // Owned by nobody and awaited by nobody: there is one at most, and it ends the process.
        Task { await closed() }
    }
}
