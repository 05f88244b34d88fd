/// Reserves a loopback port for a server that stops and restarts, until the reservation is released.
///
/// The port is bound with SO_REUSEADDR and not listened on: connections are refused, and a server that also sets
/// SO_REUSEADDR, as mosquitto does, may listen on it. Meanwhile the kernel assigns the port to no other socket. Without
/// the reservation, a client that reconnects during a restart may get this port as its local port and connect to itself.
package final class PortReservation: Sendable {
    /// The reserved port of 127.0.0.1.
    package let port: Int
    private let socket: Socket

    /// - Throws: `FaultKitError` if no port is free.
    package init() throws {
        (socket, port) = try Socket.bound()
    }

    init(port: Int) throws {
        (socket, self.port) = try Socket.bound(to: port)
    }

    /// Releases the port.
    package func release() { socket.close() }
}

/// Finds free ports without reserving them.
package enum FreePort {
    /// Returns a loopback port that was free; another process may take it. `PortReservation` avoids that.
    package static func next() throws -> Int {
        let (socket, port) = try Socket.bound()
        socket.close()
        return port
    }
}
