internal import Locking

/// A TCP proxy on a free loopback port that can be told to behave like a bad network.
///
/// Changes act on open and on later connections, within 10 ms. It ends with `stop()` or with the last reference.
///
/// ```swift
/// let proxy = try TCPProxy(to: broker.port)
/// proxy.conditions.delay = .milliseconds(500)
/// proxy.mode = .blackHole
/// ```
package final class TCPProxy: Sendable {
    /// What happens to connections.
    package enum Mode: Sendable, Hashable {
        /// Bytes pass.
        case forward
        /// Sockets stay open and are accepted, nothing is read: the peer's sends succeed until buffers are full.
        /// Back in `forward`, everything kept passes.
        case blackHole
        /// The port is closed; open connections go on.
        case refuse
        /// Open connections are reset, new ones as soon as they are accepted.
        case reset
    }

    /// Which way bytes go.
    package enum Direction: Sendable, Hashable {
        /// From the client to the server.
        case toServer
        /// From the server to the client.
        case toClient
    }

    /// How fast bytes pass, in each direction.
    package struct Conditions: Sendable, Hashable {
        /// How long each piece is kept.
        package var delay: Duration = .zero
        /// At most how much longer or shorter than ``delay``, at random; the order stays.
        package var jitter: Duration = .zero
        /// Bytes per second; nil is unlimited.
        package var bytesPerSecond: Int?

        /// An undisturbed network.
        package init(delay: Duration = .zero, jitter: Duration = .zero, bytesPerSecond: Int? = nil) {
            self.delay = delay
            self.jitter = jitter
            self.bytesPerSecond = bytesPerSecond
        }
    }

    /// The port of 127.0.0.1. Stays reserved, and refused, after `stop()` until the last reference goes.
    package let port: Int
    private let core: TCPProxyCore

    /// Starts to listen, in mode `forward`. While the server is down, clients are accepted and then reset.
    ///
    /// - Throws: `FaultKitError` when no port is free.
    package init(to serverPort: Int) throws {
        core = try TCPProxyCore(serverPort: serverPort)
        port = core.port
        core.start()
    }

    deinit { core.stop() }

    /// What happens to connections.
    package var mode: Mode {
        get { core.state.withLock { $0.mode } }
        set { core.setMode(newValue) }
    }

    /// How fast bytes pass.
    package var conditions: Conditions {
        get { core.state.withLock { $0.conditions } }
        set { core.state.withLock { $0.conditions = newValue } }
    }

    /// How many connections were accepted so far.
    package var connections: Int { core.state.withLock { $0.accepted } }

    /// How many connections are open.
    package var openConnections: Int { core.state.withLock { $0.open } }

    /// How many bytes passed so far, over all connections.
    package func bytes(_ direction: Direction) -> Int { core.state.withLock { $0.passed[direction, default: 0] } }

    /// How many whole MQTT packets of a type have passed so far, over all connections.
    package func packets(_ type: FakeBroker.PacketType, _ direction: Direction) -> Int {
        core.state.withLock { $0.packets[direction]?[type.rawValue] ?? 0 }
    }

    /// Resets every open connection on both sides; the mode stays.
    package func resetConnections() { core.state.withLock { $0.generation += 1 } }

    /// Ends one connection, on both sides, after exactly `count` more bytes in one direction; then forgets it.
    ///
    /// Counted from this call over all connections: called before the client connects, `count` is a position in its
    /// first connection. A second call replaces the first. 0 ends the connection that brings the next byte.
    ///
    /// - Parameter reset: With RST instead of FIN.
    package func cut(after count: Int, _ direction: Direction, reset: Bool = false) {
        core.state.withLock { $0.cut = .init(place: .bytes(count), direction: direction, reset: reset) }
    }

    /// Ends the connection that brings the next MQTT packet of a type, in the packet; then forgets it.
    ///
    /// A second call replaces the first.
    package func cut(_ place: PacketScanner.Cut, _ direction: Direction, reset: Bool = false) {
        core.state.withLock { $0.cut = .init(place: .packet(place), direction: direction, reset: reset) }
    }

    /// Takes a cut back that has not happened yet.
    package func cancelCut() { core.state.withLock { $0.cut = nil } }

    /// Whether the cut asked for has not happened yet.
    package var isCutPending: Bool { core.state.withLock { $0.cut != nil } }

    /// Closes the port and every connection, and waits until that is done, 2 seconds at most.
    package func stop() { core.stop() }
}
