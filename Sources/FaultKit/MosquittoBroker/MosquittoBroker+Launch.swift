internal import Programs
internal import Foundation
internal import Glibc
internal import Locking

extension MosquittoBroker {
    /// Starts a broker and returns once it accepts a connection.
    ///
    /// Unless `configuration` overrides it, the broker admits anonymous clients (except with a `password_file` or a plugin),
    /// saves nothing and logs everything.
    ///
    /// - Parameter configuration: Lines of mosquitto.conf(5), which follow the listener's.
    /// - Throws: ``Unavailable`` if mosquitto is missing; ``FaultKitError`` with its log if it does not listen within 30 s.
    package static func start(
        configuration: String = "allow_anonymous true",
        listener: Listener = .tcp
    ) throws -> MosquittoBroker {
        _ = try Program.required("mosquitto")
        var attempt = 1
        while true {
            let broker = MosquittoBroker(
                folder: try TemporaryDirectory(),
                reservation: try PortReservation(),
                listener: listener
            )
            let lines = listener.lines(broker.port, broker.directory)
            let text = Self.configuration(configuration, listener: lines, directory: broker.directory)
            try broker.folder.write(text, to: configurationName)
            do {
                try broker.launch()
                return broker
            } catch {
                // Another process may already use a further port of the caller's configuration.
                guard attempt < 3, broker.log.contains("Address already in use") else { throw error }
                attempt += 1
            }
        }
    }

    /// Starts the child and waits until it listens and handles signals.
    func launch() throws {
        let output = open(folder.file(Self.logName), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        guard output >= 0 else { throw FaultKitError.system("open the log of mosquitto") }
        defer { close(output) }
        let input = open("/dev/null", O_RDONLY | O_CLOEXEC)
        defer { close(input) }
        let child = try SpawnedProcess.spawn(
            "mosquitto",
            ["-c", folder.file(Self.configurationName)],
            streams: .init(input: input, output: output, errors: output)
        )
        process.withLock { $0 = child }
        let deadline = ContinuousClock.now + .seconds(30)
        // mosquitto listens shortly before it handles signals: a stop in between would not save its database.
        while !isListening() || !child.handles([SIGTERM, SIGHUP]) {
            if let status = child.exitStatus {
                throw FaultKitError("mosquitto ended (\(status)) before it listened:\n\(log)")
            }
            if ContinuousClock.now >= deadline {
                child.kill()
                throw FaultKitError("mosquitto does not listen on \(port) after 30 seconds:\n\(log)")
            }
            usleep(2_000)
        }
    }

    private func isListening() -> Bool {
        if listener.isUnixSocket { return (try? Socket.connected(toPath: socketPath)) != nil }
        return (try? Socket.connected(to: port)) != nil
    }
}
