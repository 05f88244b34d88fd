internal import Foundation
internal import Glibc
internal import Locking

/// A child process whose three standard streams are connected to this process.
///
/// It is killed when the last reference goes, and by the kernel when this process dies.
///
/// ```swift
/// let daemon = try ChildProcess("mqtt-bridge", ["run", "--config", path])
/// _ = try await daemon.waitForLine(containing: "connected")
/// daemon.signal(SIGTERM)
/// #expect(try await daemon.wait() == .exited(0))
/// ```
package final class ChildProcess: Sendable {
    /// A standard stream of the child.
    package enum Stream: Sendable, Hashable {
        case output
        case errors
    }

    /// A printed line without its line feed. The order between the two streams is only approximate.
    package struct Line: Sendable, Equatable {
        /// The stream to which it was printed.
        package let stream: Stream
        /// The text, with replacement characters for invalid UTF-8.
        package let text: String
    }

    /// The process id. After the child has ended, another process may get the same id.
    package let processID: Int32
    private let name: String
    private let process: SpawnedProcess
    private let input: PipeEnd
    private let printed = Locked<[Line]>([])
    private let readers: [OutputReader]

    /// Starts the program.
    ///
    /// - Parameters:
    ///   - executable: A name to look up in `PATH`, or a path.
    ///   - environment: The complete environment; nil for the environment of this process.
    /// - Throws: ``Unavailable`` if the program is missing; ``FaultKitError`` if it cannot be started.
    package init(
        _ executable: String,
        _ arguments: [String] = [],
        environment: [String: String]? = nil
    ) throws {
        let (childInput, input) = try PipeEnd.pair()
        let (outputs, childOutput) = try PipeEnd.pair()
        let (errors, childErrors) = try PipeEnd.pair()
        process = try SpawnedProcess.spawn(
            executable,
            arguments,
            environment: environment,
            streams: .init(input: childInput.number, output: childOutput.number, errors: childErrors.number)
        )
        for end in [childInput, childOutput, childErrors] { end.close() }
        name = executable
        processID = process.processID
        self.input = input
        readers = [(outputs, Stream.output), (errors, .errors)].map { [printed] pipe, stream in
            OutputReader(pipe) { line, _ in
                let line = Line(stream: stream, text: String(decoding: line, as: UTF8.self))
                printed.withLock { $0.append(line) }
            }
        }
    }

    deinit {
        process.kill()
        for reader in readers { reader.abandon() }
    }

    /// Whether the child runs.
    package var isRunning: Bool { process.exitStatus == nil }

    /// The lines of both streams so far.
    package var lines: [Line] { printed.withLock { $0 } }

    /// The lines of one stream so far.
    package func lines(of stream: Stream) -> [String] {
        lines.filter { $0.stream == stream }.map(\.text)
    }

    /// The text of both streams, for the comment of a failed expectation.
    package var transcript: String { lines.map(\.text).joined(separator: "\n") }

    /// Waits for the first line of one stream or both that contains `text`, and returns it; earlier lines count too.
    ///
    /// - Parameter start: The number of ``lines`` to skip.
    /// - Throws: `FaultKitError` with all output if the limit passes or the child ends without such a line.
    @discardableResult
    package func waitForLine(
        containing text: String,
        in stream: Stream? = nil,
        after start: Int = 0,
        within limit: Duration = .seconds(30)
    ) async throws -> String {
        let (readers, printed) = (readers, printed)
        var found: String?
        _ = try await eventually(within: limit) {
            let isAtEnd = readers.allSatisfy(\.isAtEnd)
            found =
                printed.withLock { $0 }.dropFirst(start)
                .first { (stream == nil || $0.stream == stream) && $0.text.contains(text) }?.text
            return found != nil || isAtEnd
        }
        if let found { return found }
        throw FaultKitError("\(name) did not print \"\(text)\" within \(limit):\n\(transcript)")
    }

    /// Writes a line and a line feed to its standard input.
    ///
    /// - Throws: `FaultKitError` if the child has closed its input or does not read for 30 seconds.
    package func write(line: String) throws { try input.write(Array("\(line)\n".utf8)) }

    /// Closes its standard input.
    package func closeInput() { input.close() }

    /// Sends a signal; does nothing if the child has ended.
    package func signal(_ number: Int32) { process.signal(number) }

    /// Ends the child with SIGKILL and waits for its end.
    package func kill() { process.kill() }

    /// Waits for the end of the child and its last lines, and returns the exit status.
    ///
    /// - Throws: `TimeLimitExceeded`, without ending the child.
    package func wait(within limit: Duration = .seconds(30)) async throws -> ProcessStatus {
        let (process, readers) = (process, readers)
        _ = try await eventually(within: limit) { process.exitStatus != nil }
        guard let status = process.exitStatus else { throw TimeLimitExceeded("\(name) ends", limit) }
        _ = try await eventually(within: .seconds(1)) { readers.allSatisfy(\.isAtEnd) }
        return status
    }
}
