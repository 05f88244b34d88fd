internal import Foundation
internal import Locking

/// A scripted MQTT server on a free loopback port, for behaviour that a real broker does not show on demand.
///
/// Each connection runs the script on its own thread. When the script returns or throws, the connection is closed;
/// ``errors`` collects the errors. The broker ends with `stop()` or with the last reference. A script throws or records
/// instead of calling `#expect`: on its thread Swift Testing does not know the current test.
///
/// ```swift
/// let broker = try FakeBroker { peer in
///     try peer.accept()
///     let subscribe = try peer.expectSubscribe()
///     try peer.send(.suback(packetID: subscribe.packetID, reasons: [1]))
///     try peer.send(.publish(topic: "a/b", payload: [1], qos: 1, packetID: 7))
///     _ = try peer.expect(.puback)
/// }
/// ```
package final class FakeBroker: Sendable {
    /// The port of 127.0.0.1. After `stop()` it refuses connections and stays reserved until the last reference goes.
    package let port: Int
    private let core: FakeBrokerCore

    /// Starts listening.
    ///
    /// - Parameters:
    ///   - timeLimit: The default time limit of a script's reads.
    ///   - script: Serves one connection; its number is ``Peer/index``.
    /// - Throws: `FaultKitError` if no port is free.
    package init(timeLimit: Duration = .seconds(30), _ script: @escaping @Sendable (Peer) throws -> Void) throws {
        core = try FakeBrokerCore(timeLimit: timeLimit, script: script)
        port = core.port
        core.start()
    }

    deinit { core.stop() }

    /// The number of connections so far.
    package var connections: Int { core.state.withLock { $0.peers.count } }

    /// All connections so far, in the order of ``Peer/index``; the caller may send on them too.
    package var peers: [Peer] { core.state.withLock { $0.peers } }

    /// The errors that scripts have thrown, except those that `stop()` caused.
    package var errors: [any Error] { core.state.withLock { $0.errors } }

    /// Closes the port and all connections, and waits at most 2 seconds until the scripts have returned.
    package func stop() { core.stop() }

    /// Waits until at least one connection was accepted and every script has returned.
    ///
    /// - Throws: The first error of a script, or `TimeLimitExceeded`.
    package func finished(within limit: Duration = .seconds(30)) async throws {
        let core = core
        let isDone = try await eventually(within: limit) {
            core.state.withLock { !$0.peers.isEmpty && $0.running == 0 }
        }
        if let error = errors.first { throw error }
        if !isDone { throw TimeLimitExceeded("the scripts of the fake broker return", limit) }
    }
}
