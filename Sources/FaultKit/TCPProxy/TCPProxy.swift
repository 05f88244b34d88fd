internal import Locking

/// A TCP proxy on a free loopback port that simulates a bad network.
///
/// Changes affect open and later connections, within 10 ms. The proxy ends with `stop()` or with the last reference.
///
/// ```swift
/// let proxy = try TCPProxy(to: broker.port)
/// proxy.conditions.delay = .milliseconds(500)
/// proxy.mode = .blackHole
/// ```
package final class TCPProxy: Sendable {
    /// The behaviour of the proxy.
    package enum Mode: Sendable, Hashable {
        /// Bytes pass.
        case forward
        /// Connections are accepted and stay open, but nothing is read: the peer's sends succeed until the buffers are full.
        /// After a return to `forward`, all buffered bytes pass.
        case blackHole
        /// The port is closed; open connections continue.
        case refuse
        /// Open connections are reset, new connections as soon as they are accepted.
        case reset
    }

    /// The direction of bytes.
    package enum Direction: Sendable, Hashable {
        /// From the client to the server.
        case toServer
        /// From the server to the client.
        case toClient
    }

    /// The delay and rate of a connection, in each direction.
    package struct Conditions: Sendable, Hashable {
        /// The delay of each piece.
        package var delay: Duration = .zero
        /// The maximum random deviation from ``delay``; the order stays.
        package var jitter: Duration = .zero
        /// The rate in bytes per second; nil is unlimited.
        package var bytesPerSecond: Int?

        /// Creates conditions, by default of an undisturbed network.
        package init(delay: Duration = .zero, jitter: Duration = .zero, bytesPerSecond: Int? = nil) {
            self.delay = delay
            self.jitter = jitter
            self.bytesPerSecond = bytesPerSecond
        }
    }

    /// The port of 127.0.0.1. After `stop()` it refuses connections and stays reserved until the last reference goes.
    package let port: Int
    private let core: TCPProxyCore

    /// Starts listening, in mode `forward`. While the server is down, clients are accepted and then reset.
    ///
    /// - Throws: `FaultKitError` if no port is free.
    package init(to serverPort: Int) throws {
        core = try TCPProxyCore(serverPort: serverPort)
        port = core.port
        core.start()
    }

    deinit { core.stop() }

    /// The behaviour of the proxy.
    package var mode: Mode {
        get { core.state.withLock { $0.mode } }
        set { core.setMode(newValue) }
    }

    /// The delay and rate of connections.
    package var conditions: Conditions {
        get { core.state.withLock { $0.conditions } }
        set { core.state.withLock { $0.conditions = newValue } }
    }

    /// The number of connections accepted so far.
    package var connections: Int { core.state.withLock { $0.accepted } }

    /// The number of open connections.
    package var openConnections: Int { core.state.withLock { $0.open } }

    /// Returns the number of bytes that have passed in a direction, over all connections.
    package func bytes(_ direction: Direction) -> Int { core.state.withLock { $0.passed[direction, default: 0] } }

    /// Returns the number of complete MQTT packets of a type that have passed in a direction, over all connections.
    package func packets(_ type: FakeBroker.PacketType, _ direction: Direction) -> Int {
        core.state.withLock { $0.packets[direction]?[type.rawValue] ?? 0 }
    }

    /// Resets all open connections on both sides; the mode stays.
    package func resetConnections() { core.state.withLock { $0.generation += 1 } }

    /// Cuts one connection, on both sides, after exactly `count` more bytes in one direction. The cut happens once.
    ///
    /// The count begins with this call and covers all connections: before the client connects, `count` is a position in its
    /// first connection. A second call replaces the first. 0 cuts the connection that brings the next byte.
    ///
    /// - Parameter reset: Whether to end the connection with RST instead of FIN.
    package func cut(after count: Int, _ direction: Direction, reset: Bool = false) {
        core.state.withLock { $0.cut = .init(place: .bytes(count), direction: direction, reset: reset) }
    }

    /// Cuts the connection that brings the next MQTT packet of a type, within the packet. The cut happens once.
    ///
    /// A second call replaces the first.
    package func cut(_ place: PacketScanner.Cut, _ direction: Direction, reset: Bool = false) {
        core.state.withLock { $0.cut = .init(place: .packet(place), direction: direction, reset: reset) }
    }

    /// Cancels a pending cut.
    package func cancelCut() { core.state.withLock { $0.cut = nil } }

    /// Whether a cut is pending.
    package var isCutPending: Bool { core.state.withLock { $0.cut != nil } }

    /// Closes the port and all connections, and waits at most 2 seconds until they are closed.
    package func stop() { core.stop() }
}
