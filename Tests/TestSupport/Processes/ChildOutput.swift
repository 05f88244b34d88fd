import Foundation

/// Collects the lines a child prints, on one thread per stream, until both streams end or the owner closes.
final class ChildOutput: Sendable {
    private struct State {
        var lines: [ChildProcess.Line] = []
        var partial: [ChildProcess.Stream: [UInt8]] = [:]
        var openStreams = 2
        var isClosed = false
    }

    private let state = Locked(State())

    var lines: [ChildProcess.Line] { state.withLock { $0.lines } }
    var isAtEnd: Bool { state.withLock { $0.openStreams == 0 } }

    func close() { state.withLock { $0.isClosed = true } }

    func collect(_ pipe: PipeEnd, as stream: ChildProcess.Stream) {
        Thread.detachNewThread { [self] in
            // Wakes up now and then: a grandchild may keep the pipe open after everybody else is gone.
            while !state.withLock({ $0.isClosed }) {
                guard let bytes = try? pipe.read(within: .milliseconds(100)) else { continue }
                if bytes.isEmpty { break }
                add(bytes, stream)
            }
            pipe.close()
            state.withLock { state in
                if let last = state.partial.removeValue(forKey: stream), !last.isEmpty {
                    state.lines.append(.init(stream: stream, text: String(decoding: last, as: UTF8.self)))
                }
                state.openStreams -= 1
            }
        }
    }

    private func add(_ bytes: [UInt8], _ stream: ChildProcess.Stream) {
        state.withLock { state in
            var parts = (state.partial[stream, default: []] + bytes)
                .split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
            state.partial[stream] = Array(parts.removeLast())
            state.lines += parts.map { .init(stream: stream, text: String(decoding: $0, as: UTF8.self)) }
        }
    }
}
