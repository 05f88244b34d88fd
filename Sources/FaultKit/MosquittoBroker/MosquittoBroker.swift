internal import Programs
internal import Foundation
internal import Glibc
internal import Locking

/// A real mosquitto on a free loopback port, with its own folder.
///
/// It ends with `stop()`, `kill()` or the last reference, whose release also removes the folder; the kernel kills it when
/// this process dies. The port stays reserved while the broker is down, so that `restart()` gets it again.
/// Calls block for the few milliseconds that mosquitto needs (up to 100 for a stop, because of its own polling).
package final class MosquittoBroker: Sendable {
    /// The TCP port of 127.0.0.1. With ``Listener/unixSocket`` the broker does not listen on it.
    package let port: Int
    /// The folder with `mosquitto.conf`, `log` and, with persistence, the database.
    package let directory: String
    /// The path of the socket of ``Listener/unixSocket``.
    package let socketPath: String

    let folder: TemporaryDirectory
    let reservation: PortReservation
    let listener: Listener
    let process: Locked<SpawnedProcess?>

    init(folder: TemporaryDirectory, reservation: PortReservation, listener: Listener) {
        port = reservation.port
        directory = folder.path
        socketPath = folder.file(Self.socketName)
        self.folder = folder
        self.reservation = reservation
        self.listener = listener
        process = Locked(nil)
    }

    deinit { kill() }

    /// Whether mosquitto is installed on this machine.
    package static var isInstalled: Bool { Program.path(of: "mosquitto") != nil }

    /// The process id of the running child, or of the last one.
    package var processID: Int32 { process.withLock { $0?.processID } ?? 0 }

    /// Whether the child runs, frozen or not.
    package var isRunning: Bool { process.withLock { $0.map { $0.exitStatus == nil } } ?? false }

    /// The output of the broker since its first start, over all restarts.
    ///
    /// After each start, the first connections in the log are checks whether the port is open.
    package var log: String {
        let data = FileManager.default.contents(atPath: folder.file(Self.logName)) ?? Data()
        return String(decoding: data, as: UTF8.self)
    }

    /// Ends the broker with SIGTERM (it saves its database), after 20 seconds with SIGKILL. A second call does nothing.
    package func stop() { _ = process.withLock { $0 }?.terminate(within: .seconds(20)) }

    /// Ends the broker with SIGKILL: it saves nothing. A second call does nothing.
    package func kill() { _ = process.withLock { $0 }?.kill() }

    /// Stops the broker and starts it again on the same port with the same configuration.
    ///
    /// After `kill()` it only starts the broker.
    ///
    /// - Throws: `FaultKitError` with the log if the broker does not listen within 30 seconds.
    package func restart() throws {
        stop()
        try launch()
    }

    /// Suspends the process with SIGSTOP: sockets stay open, but nothing is read or answered. Ends with `thaw()`.
    package func freeze() { process.withLock { $0 }?.signal(SIGSTOP) }

    /// Resumes a frozen broker.
    package func thaw() { process.withLock { $0 }?.signal(SIGCONT) }

    /// Sends a signal, for example SIGHUP to reload the configuration.
    package func signal(_ number: Int32) { process.withLock { $0 }?.signal(number) }
}
