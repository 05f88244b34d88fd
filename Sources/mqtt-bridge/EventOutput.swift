import AsyncEventBus
import Dispatch
import Glibc
import Locking

/// Writes events and answers to standard output, each with one call, so that a line is there as soon as the event is.
final class EventOutput: Sendable {
    private struct State {
        var isClosed = false
        var closed: (@Sendable () async -> Void)?
    }

    private let format: EventFormat
    /// Held while a line is written: longer ones than a pipe takes at once would mix.
    private let writing = Locked(())
    private let answers = DispatchQueue(label: "answers")
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

    /// Writes a line soon, in order with others of its kind; never waits for the reader of standard output. Whoever gives
    /// lines bounds how many there are.
    func enqueue(line: String, completion: @escaping @Sendable () -> Void = {}) {
        answers.async { [self] in
            write(line: line)
            completion()
        }
    }

    /// Returns when everything that the bus and the answers have is written, or nobody has read it for a second.
    func drain(_ bus: EventBus) async {
        let (ends, end) = AsyncStream<Void>.makeStream()
        // Owned by nobody: ends when all is written, or with the process.
        Task {
            await bus.becomeIdle()
            await withCheckedContinuation { continuation in answers.async { continuation.resume() } }
            end.finish()
        }
        // Owned by nobody: ends within a second.
        Task {
            try? await Task.sleep(for: .seconds(1))
            end.finish()
        }
        for await _ in ends {}
    }

    func write(line: String) {
        let bytes = Array((line + "\n").utf8)
        writing.withLock { _ in write(bytes) }
    }

    private func write(_ bytes: [UInt8]) {
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
