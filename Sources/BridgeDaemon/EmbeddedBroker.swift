internal import Foundation
internal import Glibc
internal import Mosquitto
internal import Programs
internal import Subprocess
internal import SystemPackage

/// A mosquitto broker that runs as a child process.
package struct EmbeddedBroker {
    private let executable: String
    private let folder: String
    private let isTemporary: Bool

    /// Finds mosquitto and creates the folder for its data; a temporary folder if `folder` is nil.
    package init(folder: String?) throws {
        guard let executable = Program.path(of: "mosquitto") else {
            throw ClientError(
                .unreachable,
                operation: "start an embedded broker",
                detail: "mosquitto is not installed",
                advice: "Install it (apt install mosquitto), or name a broker with --broker URL"
            )
        }
        self.executable = executable
        isTemporary = folder == nil
        self.folder = try Self.makeFolder(folder)
    }

    /// Runs `body` with the port of a running broker: 1883, or another if that is taken. Ends the broker after `body`.
    package func run(_ body: @escaping @Sendable (UInt16) async throws -> Void) async throws {
        defer { if isTemporary { try? FileManager.default.removeItem(atPath: folder) } }
        // Another process may take a free port before mosquitto binds it: then another port is tried.
        for wanted in [1883, 0, 0, 0] as [UInt16] {
            guard let port = LoopbackPort.free(wanted) else { continue }
            if try await run(on: port, body) { return }
        }
        throw ClientError(.unreachable, operation: "start an embedded broker", detail: "no port is free on 127.0.0.1")
    }

    /// Runs `body` while the broker listens on a port. Returns false if it could not listen there.
    private func run(on port: UInt16, _ body: @escaping @Sendable (UInt16) async throws -> Void) async throws -> Bool {
        let configuration = "\(folder)/mosquitto.conf"
        try Data(configurationText(port).utf8).write(to: URL(fileURLWithPath: configuration))
        let outcome = try await Subprocess.run(
            .path("/bin/sh"),
            arguments: ["-c", Self.guardian, "mqtt-bridge-broker", executable, configuration],
            platformOptions: Self.ownProcessGroup,
            input: .inputWriter,
            output: .discarded,
            error: .sequence
        ) { execution in
            let (starts, started) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingOldest(1))
            async let log: Void = Self.follow(execution.standardError.strings(), started)
            guard await starts.first(where: { true }) != nil else {
                try await log
                return false
            }
            StandardError.write("mqtt-bridge: embedded broker at mqtt://127.0.0.1:\(port)")
            let result: Result<Void, any Error>
            do {
                result = .success(try await body(port))
            } catch {
                result = .failure(error)
            }
            // SIGTERM first, so that mosquitto saves its data; SIGKILL 2 s later.
            await execution.teardown(using: [.gracefulShutDown(allowedDurationToNextStep: .seconds(2))])
            try await log
            try result.get()
            return true
        }
        return outcome.closureResult
    }

    /// A script that runs the broker and ends it when standard input ends, as it also does when this process is killed.
    private static let guardian = """
        exec 3<&0
        "$1" -c "$2" &
        broker=$!
        trap 'kill "$broker" 2>/dev/null' TERM
        { cat <&3 >/dev/null; kill "$broker"; } 2>/dev/null &
        wait "$broker"
        wait "$broker"
        """

    /// Keeps Control-C from the broker, which must end after the bridge: a terminal signals its foreground process group.
    private static var ownProcessGroup: PlatformOptions {
        var options = PlatformOptions()
        options.processGroupID = 0
        return options
    }

    /// Prints the errors that the broker logs, and yields to `started` once it listens. Returns when the broker ends.
    private static func follow(
        _ lines: some AsyncSequence<String, any Error>,
        _ started: AsyncStream<Void>.Continuation
    ) async throws {
        defer { started.finish() }
        for try await line in lines {
            if line.contains(" running") { started.yield() }
            if line.contains("Error: "), !line.contains("Address already in use") {
                StandardError.write("mosquitto: \(escapedForLog(line))")
            }
        }
    }

    private func configurationText(_ port: UInt16) -> String {
        """
        # Written by mqtt-bridge for its embedded broker; written anew at each start.
        listener \(port) 127.0.0.1
        allow_anonymous true
        \(needsRoot ? "user root" : "# As another user than root, where root starts it: nothing is kept.")
        persistence \(!isTemporary)
        persistence_location \(folder)/
        autosave_interval 60
        log_dest stderr
        log_type error
        log_type information

        """
    }

    /// Whether the broker must keep the privileges of root, to write to a folder that only root may write to.
    private var needsRoot: Bool { geteuid() == 0 && !isTemporary }

    private static func makeFolder(_ folder: String?) throws -> String {
        guard let folder else {
            var template = Array((NSTemporaryDirectory() + "mqtt-bridge-XXXXXX").utf8CString)
            guard mkdtemp(&template) != nil else {
                throw ClientError(
                    .library,
                    operation: "make a temporary folder",
                    detail: String(cString: strerror(errno))
                )
            }
            return String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        }
        let absolute = URL(fileURLWithPath: folder).path
        try FileManager.default.createDirectory(
            atPath: absolute,
            withIntermediateDirectories: true,
            attributes: [.posixPermissions: 0o700]
        )
        try check(absolute)
        return absolute
    }

    /// Refuses a folder in which another user could redirect or change the broker's files.
    private static func check(_ folder: String) throws {
        func failure(_ detail: String, _ advice: String) -> ClientError {
            let operation = "keep the broker's data in \(escapedForLog(folder, limit: 4_096))"
            return ClientError(.invalidURL, operation: operation, detail: detail, advice: advice)
        }
        var status = stat()
        guard lstat(folder, &status) == 0 else {
            throw failure(String(cString: strerror(errno)), "Name another folder")
        }
        guard status.st_mode & S_IFMT == S_IFDIR else {
            let kind = status.st_mode & S_IFMT == S_IFLNK ? "a symbolic link" : "no folder"
            throw failure("it is \(kind)", "Name the folder itself")
        }
        guard status.st_uid == geteuid() else {
            let detail = "it belongs to user \(status.st_uid), and this process runs as user \(geteuid())"
            throw failure(detail, "Run as its owner, or name another folder")
        }
        guard status.st_mode & S_IWOTH == 0 else {
            throw failure("everybody may write to it", "Take that right away: chmod o-w")
        }
        for file in ["mosquitto.conf", "mosquitto.db"] where lstat("\(folder)/\(file)", &status) == 0 {
            guard status.st_mode & S_IFMT == S_IFREG, status.st_uid == geteuid() else {
                throw failure("\(file) in it is no file of this user", "Remove it")
            }
        }
    }
}
