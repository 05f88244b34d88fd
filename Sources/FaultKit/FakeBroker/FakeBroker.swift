internal import Foundation
internal import Locking

/// A scripted MQTT server on a free loopback port, for what a real broker never does at the right moment.
///
/// Every connection runs the script on a thread of its own. When the script returns or throws the connection is
/// closed; what it threw is in ``errors``. It ends with `stop()` or with the last reference. A script throws or
/// records instead of calling `#expect`: on its thread Swift Testing does not know which test it belongs to.
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
    /// The port of 127.0.0.1. Stays reserved, and refused, after `stop()` until the last reference goes.
    package let port: Int
    private let core: FakeBrokerCore

    /// Starts to listen.
    ///
    /// - Parameters:
    ///   - timeLimit: How long each read of a script waits.
    ///   - script: What to do with a connection; its number is ``Peer/index``.
    /// - Throws: `FaultKitError` when no port is free.
    package init(timeLimit: Duration = .seconds(30), _ script: @escaping @Sendable (Peer) throws -> Void) throws {
        core = try FakeBrokerCore(timeLimit: timeLimit, script: script)
        port = core.port
        core.start()
    }

    deinit { core.stop() }

    /// How many connections there were so far.
    package var connections: Int { core.state.withLock { $0.peers.count } }

    /// All connections so far, in the order of their ``Peer/index``; the caller may send on them too.
    package var peers: [Peer] { core.state.withLock { $0.peers } }

    /// What scripts threw so far; nothing of what `stop()` caused.
    package var errors: [any Error] { core.state.withLock { $0.errors } }

    /// Closes the port and every connection, and waits until the scripts have noticed, 2 seconds at most.
    package func stop() { core.stop() }

    /// Waits until there was at least one connection and every script has returned.
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
