internal import Foundation
internal import Glibc
internal import Locking

/// The state that a proxy shares with its threads, so that the proxy can be released while they run.
final class TCPProxyCore: Sendable {
    struct Cut {
        enum Place {
            /// After this number of bytes.
            case bytes(Int)
            case packet(PacketScanner.Cut)
        }

        var place: Place
        var direction: TCPProxy.Direction
        var reset: Bool
    }

    struct State {
        var mode = TCPProxy.Mode.forward
        var conditions = TCPProxy.Conditions()
        var cut: Cut?
        var passed: [TCPProxy.Direction: Int] = [:]
        var packets: [TCPProxy.Direction: [UInt8: Int]] = [:]
        var accepted = 0
        var open = 0
        /// Grows with each reset of all connections; a connection accepted under an earlier number is reset.
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
        state = Locked(State(listener: try Socket.listening(on: port).0))
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
                state.listener = try? Socket.listening(on: port).0
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

    /// Sends and counts bytes of a direction, up to the cut. Returns the number sent, and the cut if it was reached.
    ///
    /// Sends under the lock, without blocking, so that the cut is exact over all connections.
    func pass(
        _ bytes: ArraySlice<UInt8>,
        _ direction: TCPProxy.Direction,
        scanner: inout PacketScanner,
        to socket: Socket
    ) throws -> (sent: Int, cut: Cut?) {
        try state.withLock { state in
            let pending = state.cut?.direction == direction ? state.cut : nil
            var (limit, packetCut) = (bytes.count, nil as PacketScanner.Cut?)
            switch pending?.place {
            case .bytes(let left): limit = min(limit, left)
            case .packet(let cut): packetCut = cut
            case nil: break
            }
            var (before, ahead) = (scanner, scanner)
            let (allowed, isInCut) = ahead.scan(bytes.prefix(limit), cut: packetCut)
            let sent = allowed == 0 ? 0 : try socket.sendNow(bytes.prefix(allowed))
            if sent < allowed { _ = before.scan(bytes.prefix(sent), cut: packetCut) } else { before = ahead }
            state.passed[direction, default: 0] += sent
            for (type, count) in before.finished where count != scanner.finished[type] {
                state.packets[direction, default: [:]][type, default: 0] += count - (scanner.finished[type] ?? 0)
            }
            scanner = before
            // Cuts after the last allowed byte, not at the next one, which may never come.
            let isCut =
                switch pending?.place {
                case .bytes(let left): left == sent
                case .packet: isInCut && sent == allowed
                case nil: false
                }
            if isCut {
                state.cut = nil
                return (sent, pending)
            }
            if case .bytes(let left) = pending?.place { state.cut?.place = .bytes(left - sent) }
            return (sent, nil)
        }
    }

    private func acceptOne(from listener: Socket) {
        // Under the lock: mode `refuse` closes the listener, and another file may get its number at once.
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
}
