package import AsyncEventBus
internal import Dispatch
internal import Glibc
internal import Locking
internal import MQTTBridge

/// Writes events and answers to standard output, each with one call, so that a line is there as soon as the event is.
package final class EventOutput: Sendable {
    private let format: EventFormat
    /// Held while a line is written: longer ones than a pipe takes at once would mix.
    private let writing = Locked(())
    private let answers = DispatchQueue(label: "answers")
    private let colours = isatty(STDOUT_FILENO) == 1
    /// Ends when nobody reads any more.
    private let readers: AsyncStream<Never>
    private let noReader: AsyncStream<Never>.Continuation

    /// An output on which nobody writes yet.
    package init(format: EventFormat) {
        self.format = format
        (readers, noReader) = AsyncStream.makeStream()
    }

    /// Returns when a write has found that nobody reads any more, or when the task is cancelled. One task may wait for it.
    package func becomeUnread() async {
        for await _ in readers {}
    }

    /// Writes an event as one line.
    package func write(_ event: Event) {
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

    /// Returns when everything that the bus and the answers have is written, or time is up.
    package func drain(_ bus: EventBus, within limit: Duration) async {
        await DispatchQueue(label: "drain").wait(atMost: limit) { [answers] in
            await bus.waitUntilIdle()
            await withCheckedContinuation { continuation in answers.async { continuation.resume() } }
        }
    }

    /// Writes a line, and waits for the reader of standard output.
    package func write(line: String) {
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
            guard count > 0 else { return noReader.finish() }
            written += count
        }
    }
}
