package import AsyncEventBus
internal import Dispatch
internal import Glibc
internal import Locking
internal import MQTTBridge

/// Writes events and answers to standard output without a buffer, so that readers see each line at once.
package final class EventOutput: Sendable {
    private let format: EventFormat
    /// Held while a line is written: a pipe interleaves lines that are too long for one atomic write.
    private let writing = Locked(())
    private let answers = DispatchQueue(label: "answers")
    private let colours = isatty(STDOUT_FILENO) == 1
    /// Ends when the reader of standard output is gone.
    private let readers: AsyncStream<Never>
    private let noReader: AsyncStream<Never>.Continuation

    /// Creates an output for events in this format.
    package init(format: EventFormat) {
        self.format = format
        (readers, noReader) = AsyncStream.makeStream()
    }

    /// Returns when a write fails because the reader is gone, or when the task is cancelled. Only one task may wait.
    package func becomeUnread() async {
        for await _ in readers {}
    }

    /// Writes an event as one line, and waits for the reader of standard output.
    package func write(_ event: Event) {
        write(line: format.line(for: event, colours: colours))
    }

    /// Enqueues a line; never waits for the reader of standard output. Enqueued lines keep their order. The queue has no
    /// limit: the caller must bound the number of lines.
    func enqueue(line: String, completion: @escaping @Sendable () -> Void = {}) {
        answers.async { [self] in
            write(line: line)
            completion()
        }
    }

    /// Waits until the bus is idle and all enqueued lines are written, for at most `limit`.
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
