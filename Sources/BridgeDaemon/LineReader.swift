internal import Dispatch
internal import Glibc
internal import Locking

/// A line of standard input, as bytes: invalid UTF-8 must be reported, not repaired.
struct InputLine: Equatable {
    /// The content without the line feed; empty if the line is too long.
    var bytes: [UInt8] = []
    var isTooLong = false

    /// Whether the line contains only white space as JSON defines it.
    var isBlank: Bool { !isTooLong && bytes.allSatisfy { " \t\r".utf8.contains($0) } }
}

/// Splits the input into lines. Pure.
struct LineBuffer {
    /// The longest line, in bytes.
    static let longestLine = 64 * 1024 * 1024

    /// The offset at which the search for the next line feed continues.
    private var searched = 0
    private var start = 0
    private var bytes: [UInt8] = []
    /// Whether the rest of a line that is too long is being discarded.
    private var isSkipping = false
    private let limit: Int

    init(limit: Int = Self.longestLine) {
        self.limit = limit
    }

    mutating func append(_ more: ArraySlice<UInt8>) {
        if start > 0 {
            bytes.removeFirst(start)
            searched -= start
            start = 0
        }
        bytes += more
    }

    /// Returns the next line; nil if its end has not arrived yet.
    ///
    /// - Parameter isAtEnd: Whether the input has ended, so that the remaining bytes are the last line.
    mutating func next(isAtEnd: Bool) -> InputLine? {
        if let end = bytes[searched...].firstIndex(of: UInt8(ascii: "\n")) {
            defer { (start, searched, isSkipping) = (end + 1, end + 1, false) }
            return line(upTo: end)
        }
        searched = bytes.count
        if isAtEnd {
            guard isSkipping || start < bytes.count else { return nil }
            defer { (start, isSkipping) = (bytes.count, false) }
            return line(upTo: bytes.count)
        }
        if bytes.count - start > limit {
            isSkipping = true
            start = bytes.count
        }
        return nil
    }

    private func line(upTo end: Int) -> InputLine {
        guard !isSkipping, end - start <= limit else { return InputLine(isTooLong: true) }
        return InputLine(bytes: Array(bytes[start..<end]))
    }
}

/// Reads a descriptor line by line, on demand, on a thread that may block.
final class LineReader: Sendable {
    private struct State {
        var buffer = LineBuffer()
        var isAtEnd = false
    }

    private let descriptor: Int32
    private let queue = DispatchQueue(label: "standard-input")
    private let waiting = Locked<CheckedContinuation<InputLine?, Never>?>(nil)
    /// Used only on the queue.
    private let state = Locked(State())

    /// - Parameter descriptor: The descriptor to read; it must stay open while this object lives, which does not close it.
    init(_ descriptor: Int32) {
        self.descriptor = descriptor
    }

    /// Returns the next line; nil at the end. A cancelled call returns nil, and the line that it waited for is lost.
    func next() async -> InputLine? {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                waiting.withLock { $0 = continuation }
                if Task.isCancelled { return resume(nil) }
                queue.async { [self] in resume(state.withLock { read(&$0) }) }
            }
        } onCancel: {
            resume(nil)
        }
    }

    private func read(_ state: inout State) -> InputLine? {
        var block: [UInt8] = []
        while true {
            if let line = state.buffer.next(isAtEnd: state.isAtEnd) { return line }
            guard !state.isAtEnd else { return nil }
            if block.isEmpty { block = [UInt8](repeating: 0, count: 65_536) }
            let count = Glibc.read(descriptor, &block, block.count)
            if count > 0 {
                state.buffer.append(block[..<count])
            } else if count == 0 || !waitsForMore(errno) {
                state.isAtEnd = true
            }
        }
    }

    /// Returns whether a failed `read` must be repeated. Waits for input first if another process made the descriptor
    /// non-blocking.
    private func waitsForMore(_ code: Int32) -> Bool {
        guard code == EAGAIN else { return code == EINTR }
        var request = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        _ = poll(&request, 1, -1)
        return true
    }

    private func resume(_ line: InputLine?) {
        let continuation = waiting.withLock { waiting in
            defer { waiting = nil }
            return waiting
        }
        continuation?.resume(returning: line)
    }
}
