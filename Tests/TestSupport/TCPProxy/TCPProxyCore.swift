import Foundation
import Glibc

/// What the threads of a proxy hold, so that the proxy itself can go while they run.
final class TCPProxyCore: Sendable {
    struct Cut {
        var left: Int
        var direction: TCPProxy.Direction
        var reset: Bool
    }

    struct State {
        var mode = TCPProxy.Mode.forward
        var conditions = TCPProxy.Conditions()
        var cut: Cut?
        var passed: [TCPProxy.Direction: Int] = [:]
        var accepted = 0
        var open = 0
        /// Connections accepted under an earlier number are to be reset.
        var generation = 0
        var isStopped = false
        var isAccepting = true
        /// Nil while connections are refused.
        var listener: Socket?
    }

    let state: Locked<State>
    let port: Int
    let serverPort: Int
    private let reservation: PortReservation

    init(serverPort: Int) throws {
        self.serverPort = serverPort
        reservation = try PortReservation()
        port = reservation.port
        let listener = try Self.listener(on: port)
        state = Locked(State(listener: listener))
    }

    func start() {
        Thread.detachNewThread { [self] in
            while !state.withLock({ $0.isStopped }) {
                guard let listener = state.withLock({ $0.listener }) else {
                    usleep(5_000)
                    continue
                }
                if listener.isReadable(within: .milliseconds(10)) { acceptOne(from: listener) }
            }
            state.withLock { $0.isAccepting = false }
        }
    }

    func setMode(_ mode: TCPProxy.Mode) {
        state.withLock { state in
            state.mode = mode
            if mode == .refuse || state.isStopped {
                state.listener?.close()
                state.listener = nil
            } else if state.listener == nil {
                state.listener = try? Self.listener(on: port)
            }
        }
    }

    func stop() {
        state.withLock { state in
            state.isStopped = true
            state.listener?.close()
            state.listener = nil
        }
        let deadline = ContinuousClock.now + .seconds(2)
        while state.withLock({ $0.open > 0 || $0.isAccepting }), ContinuousClock.now < deadline { usleep(1_000) }
    }

    /// Sends up to `count` bytes of a direction, stopping at the cut; says what was sent and whether this was the cut.
    ///
    /// The bytes are sent under the lock, without blocking, so that the cut is exact over all connections.
    func pass(
        _ count: Int,
        _ direction: TCPProxy.Direction,
        send: (_ allowed: Int) throws -> Int
    ) rethrows -> (sent: Int, cut: Cut?) {
        try state.withLock { state in
            let pending = state.cut?.direction == direction ? state.cut : nil
            let sent = try send(min(count, pending?.left ?? count))
            state.passed[direction, default: 0] += sent
            guard var cut = pending else { return (sent, nil) }
            cut.left -= sent
            // The connection ends with its last byte, not with the first one too many, which may never come.
            state.cut = cut.left == 0 ? nil : cut
            return (sent, cut.left == 0 ? cut : nil)
        }
    }

    private func acceptOne(from listener: Socket) {
        // Under the lock: `refuse` closes the listener, and its number may be somebody else's at once.
        let accepted: (Socket, Int)? = state.withLock { state in
            guard state.listener === listener, let socket = listener.accepted() else { return nil }
            state.accepted += 1
            state.open += 1
            return (socket, state.generation)
        }
        guard let (client, generation) = accepted else { return }
        Thread.detachNewThread { [self] in
            TCPProxyLink(core: self, client: client, generation: generation).run()
            state.withLock { $0.open -= 1 }
        }
    }

    private static func listener(on port: Int) throws -> Socket {
        let (socket, _) = try Socket.listening(on: port)
        _ = fcntl(socket.number, F_SETFL, O_NONBLOCK)
        return socket
    }
}
