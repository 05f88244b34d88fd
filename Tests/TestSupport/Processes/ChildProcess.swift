import Foundation
import Glibc

/// A program that runs beside a test, with its three streams in the test's hands.
///
/// It is killed when the last reference goes, and by the kernel when the test process dies.
///
/// ```swift
/// let daemon = try ChildProcess("mqtt-bridge", ["run", "--config", path])
/// _ = try await daemon.waitForLine(containing: "connected")
/// daemon.signal(SIGTERM)
/// #expect(try await daemon.wait() == .exited(0))
/// ```
public final class ChildProcess: Sendable {
    /// Where a line was printed.
    public enum Stream: Sendable, Hashable {
        case output
        case errors
    }

    /// A line without its line feed; the order between the two streams is about right only.
    public struct Line: Sendable, Equatable {
        /// Where it was printed.
        public let stream: Stream
        /// The text, with replacement characters where it is not UTF-8.
        public let text: String
    }

    /// The process id; a stranger's after the child ended, in theory.
    public let processID: Int32
    private let name: String
    private let process: SpawnedProcess
    private let input: PipeEnd
    private let output = ChildOutput()

    /// Starts the program.
    ///
    /// - Parameters:
    ///   - executable: A name to look up in `PATH`, or a path.
    ///   - environment: All of it; nil passes on the test's.
    /// - Throws: `TestSupportError` when it is missing or cannot be started.
    public init(
        _ executable: String,
        _ arguments: [String] = [],
        environment: [String: String]? = nil,
        directory: String? = nil
    ) throws {
        let (childInput, input) = try PipeEnd.pair()
        let (outputs, childOutput) = try PipeEnd.pair()
        let (errors, childErrors) = try PipeEnd.pair()
        process = try SpawnedProcess.spawn(
            executable,
            arguments,
            environment: environment,
            directory: directory,
            streams: .init(input: childInput.number, output: childOutput.number, errors: childErrors.number)
        )
        for end in [childInput, childOutput, childErrors] { end.close() }
        name = executable
        processID = process.processID
        self.input = input
        output.collect(outputs, as: .output)
        output.collect(errors, as: .errors)
    }

    deinit {
        process.kill()
        output.close()
    }

    /// Whether it has not ended yet.
    public var isRunning: Bool { process.exitStatus == nil }

    /// All lines so far, of both streams.
    public var lines: [Line] { output.lines }

    /// The lines of one stream so far.
    public func lines(of stream: Stream) -> [String] {
        output.lines.filter { $0.stream == stream }.map(\.text)
    }

    /// Both streams as one text, for the comment of a failed expectation.
    public var transcript: String { output.lines.map(\.text).joined(separator: "\n") }

    /// Returns the first line, of both streams or one, that contains `text`; earlier ones count too.
    ///
    /// - Parameter start: How many lines of ``lines`` to skip.
    /// - Throws: `TestSupportError` with everything printed when the time is over or the child ended without it.
    @discardableResult
    public func waitForLine(
        containing text: String,
        in stream: Stream? = nil,
        after start: Int = 0,
        within limit: Duration = .seconds(30)
    ) async throws -> String {
        let output = output
        var found: String?
        _ = try await eventually(within: limit) {
            let isAtEnd = output.isAtEnd
            found =
                output.lines.dropFirst(start)
                .first { (stream == nil || $0.stream == stream) && $0.text.contains(text) }?.text
            return found != nil || isAtEnd
        }
        if let found { return found }
        throw TestSupportError("\(name) did not print \"\(text)\" within \(limit):\n\(transcript)")
    }

    /// Writes a line and a line feed to its standard input.
    ///
    /// - Throws: `TestSupportError` when it closed its input, or did not read for 30 seconds.
    public func write(line: String) throws { try input.write(Array("\(line)\n".utf8)) }

    /// Ends its standard input.
    public func closeInput() { input.close() }

    /// Sends a signal; does nothing when it has ended.
    public func signal(_ number: Int32) { process.signal(number) }

    /// Ends it with SIGKILL and waits for that.
    public func kill() { process.kill() }

    /// Waits for its end, and for the last of its lines.
    ///
    /// - Throws: `TimeLimitExceeded`; the child runs on.
    public func wait(within limit: Duration = .seconds(30)) async throws -> ProcessStatus {
        let process = process
        let output = output
        _ = try await eventually(within: limit) { process.exitStatus != nil }
        guard let status = process.exitStatus else { throw TimeLimitExceeded("\(name) ends", limit) }
        _ = try await eventually(within: .seconds(1)) { output.isAtEnd }
        return status
    }
}
