internal import Foundation
internal import Glibc
internal import Locking

/// The state that a fake broker shares with its threads, so that the broker can be released while they run.
final class FakeBrokerCore: Sendable {
    struct State {
        var peers: [FakeBroker.Peer] = []
        /// The number of threads that run the script.
        var running = 0
        var errors: [any Error] = []
        var isStopped = false
    }

    let state = Locked(State())
    let port: Int
    private let reservation: PortReservation
    private let listener: Socket
    private let timeLimit: Duration
    private let script: @Sendable (FakeBroker.Peer) throws -> Void

    init(timeLimit: Duration, script: @escaping @Sendable (FakeBroker.Peer) throws -> Void) throws {
        reservation = try PortReservation()
        (listener, port) = try Socket.listening(on: reservation.port)
        self.timeLimit = timeLimit.stretched
        self.script = script
    }

    func start() {
        Thread.detachNewThread { [self] in
            while !state.withLock({ $0.isStopped }) {
                if listener.isReadable(within: .milliseconds(100)), let socket = listener.accepted() { serve(socket) }
            }
            listener.close()
        }
    }

    func stop() {
        let peers = state.withLock { state in
            state.isStopped = true
            return state.peers
        }
        listener.shutdown()
        for peer in peers { peer.socket.shutdown() }
        let deadline = ContinuousClock.now + .seconds(2)
        while state.withLock({ $0.running }) > 0, ContinuousClock.now < deadline { usleep(1_000) }
    }

    private func serve(_ socket: Socket) {
        let peer: FakeBroker.Peer? = state.withLock { state in
            if state.isStopped { return nil }
            let peer = FakeBroker.Peer(index: state.peers.count, socket: socket, timeLimit: timeLimit)
            state.peers.append(peer)
            state.running += 1
            return peer
        }
        guard let peer else { return socket.close() }
        Thread.detachNewThread { [self] in
            let result = Result { try script(peer) }
            socket.close()
            state.withLock { state in
                if case .failure(let error) = result, !state.isStopped { state.errors.append(error) }
                state.running -= 1
            }
        }
    }
}
