import Foundation
import Glibc

/// Runs a program to its end.
public enum Shell {
    /// What a program left behind.
    public struct Outcome: Sendable {
        /// How it ended.
        public let status: ProcessStatus
        /// What it printed.
        public let stdout: String
        /// What it printed to the standard error.
        public let stderr: String

        /// Returns the standard output.
        ///
        /// - Throws: `TestSupportError` with the standard error when the program failed.
        @discardableResult
        public func succeeded() throws -> String {
            guard status.isSuccess else { throw TestSupportError("\(status): \(stderr)") }
            return stdout
        }
    }

    /// Runs a program and waits on the calling thread. In an `async` test that takes long, put it into ``onThread(_:)``.
    ///
    /// - Parameters:
    ///   - executable: A name to look up in `PATH`, or a path. No shell is involved.
    ///   - environment: All of it; nil passes on the test's.
    ///   - input: The standard input.
    ///   - timeout: When it is over the program is killed.
    /// - Throws: `TestSupportError` when it is missing, cannot be started or takes too long.
    @discardableResult
    public static func run(
        _ executable: String,
        _ arguments: [String] = [],
        environment: [String: String]? = nil,
        directory: String? = nil,
        input: String = "",
        timeout: Duration = .seconds(30)
    ) throws -> Outcome {
        let folder = try TemporaryDirectory()
        let inputPath = try folder.write(input, to: "stdin")
        let streams = SpawnedProcess.Streams(
            input: open(inputPath, O_RDONLY | O_CLOEXEC),
            output: open(folder.file("stdout"), O_WRONLY | O_CREAT | O_CLOEXEC, 0o600),
            errors: open(folder.file("stderr"), O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
        )
        defer { [streams.input, streams.output, streams.errors].forEach { _ = close($0) } }
        let process = try SpawnedProcess.spawn(
            executable,
            arguments,
            environment: environment,
            directory: directory,
            streams: streams
        )
        let status = process.waitBlocking(within: timeout)
        let outcome = Outcome(
            status: status ?? process.kill(),
            stdout: text(folder.file("stdout")),
            stderr: text(folder.file("stderr"))
        )
        guard status != nil else {
            throw TestSupportError("\(executable) does not end within \(timeout): \(outcome.stderr)\(outcome.stdout)")
        }
        return outcome
    }

    private static func text(_ path: String) -> String {
        String(decoding: FileManager.default.contents(atPath: path) ?? Data(), as: UTF8.self)
    }
}
