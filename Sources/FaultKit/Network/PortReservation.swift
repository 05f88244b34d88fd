/// Keeps a loopback port for a server that comes and goes, until the reservation is released.
///
/// The port is bound with SO_REUSEADDR but nobody listens, so connecting is refused and a server that sets
/// SO_REUSEADDR too, as mosquitto does, may listen on it. The kernel gives the port to nobody else meanwhile; without this
/// a client that reconnects during a restart can be given that very port as its own and connect to itself.
package final class PortReservation: Sendable {
    /// The reserved port of 127.0.0.1.
    package let port: Int
    private let socket: Socket

    /// - Throws: `FaultKitError` when no port is free.
    package init() throws {
        (socket, port) = try Socket.bound()
    }

    init(port: Int) throws {
        (socket, self.port) = try Socket.bound(to: port)
    }

    /// Gives the port back.
    package func release() { socket.close() }
}

/// Names ports that were free a moment ago.
package enum FreePort {
    /// Returns a loopback port that was free; somebody else may take it. `PortReservation` is the safe form.
    package static func next() throws -> Int {
        let (socket, port) = try Socket.bound()
        socket.close()
        return port
    }
}
