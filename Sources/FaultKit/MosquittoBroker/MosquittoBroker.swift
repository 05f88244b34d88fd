internal import Programs
internal import Foundation
internal import Glibc
internal import Locking

/// A real mosquitto on a free loopback port, with its own folder.
///
/// It ends with `stop()`, `kill()` or when the last reference goes, which also removes the folder; the kernel kills
/// it when this process dies. The port stays reserved while the broker is down, so `restart()` gets it again.
/// The calls block for the few milliseconds mosquitto needs (100 at most for a stop, by its own polling).
package final class MosquittoBroker: Sendable {
    /// The TCP port of 127.0.0.1. With ``Listener/unixSocket`` nobody listens on it.
    package let port: Int
    /// The folder with `mosquitto.conf`, `log` and, where persistence is on, the database.
    package let directory: String
    /// Where ``Listener/unixSocket`` listens.
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

    /// Whether there is a mosquitto on this machine.
    package static var isInstalled: Bool { Program.path(of: "mosquitto") != nil }

    /// The process id of the running child, or of the last one.
    package var processID: Int32 { process.withLock { $0?.processID } ?? 0 }

    /// Whether the child runs; a frozen one does.
    package var isRunning: Bool { process.withLock { $0.map { $0.exitStatus == nil } } ?? false }

    /// Everything the broker printed since its first start, over all restarts.
    ///
    /// The first connection in it, after each start, is the one that looked whether the port is open.
    package var log: String {
        let data = FileManager.default.contents(atPath: folder.file(Self.logName)) ?? Data()
        return String(decoding: data, as: UTF8.self)
    }

    /// Ends the broker with SIGTERM (it saves its database), with SIGKILL after 20 seconds. Again, it does nothing.
    package func stop() { _ = process.withLock { $0 }?.terminate(within: .seconds(20)) }

    /// Ends the broker with SIGKILL: nothing is saved. Again, it does nothing.
    package func kill() { _ = process.withLock { $0 }?.kill() }

    /// Stops the broker and starts it again on the same port with the same configuration.
    ///
    /// After `kill()` it only starts it.
    ///
    /// - Throws: `FaultKitError` with the log when it does not listen within 30 seconds.
    package func restart() throws {
        stop()
        try launch()
    }

    /// Stops the process with SIGSTOP: sockets stay open, nothing is read or answered. Ends with `thaw()`.
    package func freeze() { process.withLock { $0 }?.signal(SIGSTOP) }

    /// Lets a frozen broker continue.
    package func thaw() { process.withLock { $0 }?.signal(SIGCONT) }

    /// Sends any signal, for example SIGHUP to read the configuration again.
    package func signal(_ number: Int32) { process.withLock { $0 }?.signal(number) }
}
