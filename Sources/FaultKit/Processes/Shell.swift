internal import Foundation
internal import Glibc

/// Runs a program to its end.
package enum Shell {
    /// The exit status and output of a program.
    package struct Outcome: Sendable {
        /// The exit status.
        package let status: ProcessStatus
        /// The standard output.
        package let stdout: String
        /// The standard error.
        package let stderr: String

        /// Returns the standard output.
        ///
        /// - Throws: `FaultKitError` with the standard error if the program failed.
        @discardableResult
        package func succeeded() throws -> String {
            guard status.isSuccess else { throw FaultKitError("\(status): \(stderr)") }
            return stdout
        }
    }

    /// Runs a program and blocks until it ends. In an `async` function, wrap a long run in ``onThread(_:)``.
    ///
    /// - Parameters:
    ///   - executable: A name to look up in `PATH`, or a path. No shell is involved.
    ///   - environment: The complete environment; nil for the environment of this process.
    ///   - input: The standard input.
    ///   - timeout: The time after which the program is killed.
    /// - Throws: ``Unavailable`` if the program is missing; ``FaultKitError`` if it cannot be started or takes too long.
    @discardableResult
    package static func run(
        _ executable: String,
        _ arguments: [String] = [],
        environment: [String: String]? = nil,
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
            streams: streams
        )
        let status = process.waitBlocking(within: timeout)
        let outcome = Outcome(
            status: status ?? process.kill(),
            stdout: text(folder.file("stdout")),
            stderr: text(folder.file("stderr"))
        )
        guard status != nil else {
            throw FaultKitError("\(executable) does not end within \(timeout): \(outcome.stderr)\(outcome.stdout)")
        }
        return outcome
    }

    private static func text(_ path: String) -> String {
        String(decoding: FileManager.default.contents(atPath: path) ?? Data(), as: UTF8.self)
    }
}
