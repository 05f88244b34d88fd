internal import Foundation
internal import Glibc
internal import Locking

/// A mosquitto of our own on a free port of 127.0.0.1, which can be ended and started again.
final class Broker: Sendable {
    /// What differs from scenario to scenario.
    struct Options: Sendable {
        /// The most unacknowledged messages for each client.
        var inFlight = 100
        /// Whether it saves its state when it is ended with SIGTERM; never at another time.
        var isPersistent = false
        /// The most messages that wait for each client; 0 for no limit. 2.0.11 with no limit ends the connection after
        /// each message that it denies (handle_publish.c, process_bad_message), as if a queue were full.
        var queued = 0
        /// Whether clients may come without a password.
        var allowsAnonymous = true
        /// More lines of mosquitto.conf(5).
        var lines: [String] = []
    }

    let port: Int
    private let folder: String
    private let executable: String
    private let options: Options
    private let reservation: Socket
    private let process = Locked<Child?>(nil)

    /// Does not start it yet.
    init(folder: String, options: Options) throws {
        executable = try Executable.required("mosquitto")
        (reservation, port) = try Socket.bound()
        (self.folder, self.options) = (folder, options)
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try Data(configuration.utf8).write(to: URL(fileURLWithPath: configurationPath))
    }

    private var configurationPath: String { "\(folder)/mosquitto.conf" }
    private var logPath: String { "\(folder)/log" }

    private var configuration: String {
        let lines = [
            "user root", "listener \(port) 127.0.0.1", "allow_anonymous \(options.allowsAnonymous)",
            "set_tcp_nodelay true", "max_queued_messages \(options.queued)",
            "max_inflight_messages \(options.inFlight)",
            "persistence \(options.isPersistent)", "persistence_location \(folder)/", "autosave_interval 0",
            "log_dest stderr", "log_type error", "log_type warning", "log_type notice",
        ]
        return (lines + options.lines).joined(separator: "\n") + "\n"
    }

    /// What it wrote, over all its lives.
    var log: String { (try? String(contentsOfFile: logPath, encoding: .utf8)) ?? "" }

    /// Starts it and returns once it listens and handles signals.
    func start() throws {
        let output = open(logPath, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        let input = open("/dev/null", O_RDONLY | O_CLOEXEC)
        guard output >= 0, input >= 0 else { throw Failure.system("open the log of mosquitto") }
        defer {
            close(output)
            close(input)
        }
        let child = try Child.spawn(
            executable,
            ["-c", configurationPath],
            input: input,
            output: output,
            errors: output
        )
        process.withLock { $0 = child }
        let deadline = ContinuousClock.now + .seconds(10)
        // It listens a little before it handles SIGTERM: ended in between, it would save nothing.
        while !isListening || !child.handles(SIGTERM) {
            guard child.ending == nil, ContinuousClock.now < deadline else {
                throw Failure("mosquitto does not listen on port \(port): \(log.suffix(400))")
            }
            usleep(1_000)
        }
    }

    private var isListening: Bool { Socket.connected(to: port) != nil }

    /// Ends it with SIGTERM; with persistence it saves its state.
    func terminate() { _ = process.withLock { $0 }?.terminate(within: .seconds(20)) }

    /// Ends it with SIGKILL; it saves nothing.
    func kill() { _ = process.withLock { $0 }?.kill() }
}
