internal import Foundation
internal import Glibc
internal import Locking

/// One proxied connection; used on one thread.
final class TCPProxyLink {
    private let core: TCPProxyCore
    private let client: Socket
    private let generation: Int
    private var server: Socket?
    private var toServer = TCPProxyPipe()
    private var toClient = TCPProxyPipe()

    init(core: TCPProxyCore, client: Socket, generation: Int) {
        self.core = core
        self.client = client
        self.generation = generation
    }

    /// Forwards bytes until an end, a reset, a cut or the proxy's stop; closes both sockets.
    func run() {
        let reset = carry()
        for socket in [client, server].compactMap({ $0 }) {
            if reset { socket.reset() }
            socket.close()
        }
    }

    /// Returns whether to reset both sides.
    private func carry() -> Bool {
        while true {
            let (mode, conditions, isOld, isStopped) = core.state.withLock {
                ($0.mode, $0.conditions, $0.generation != generation, $0.isStopped)
            }
            if isStopped { return false }
            if mode == .reset || isOld { return true }
            if mode == .blackHole {
                usleep(5_000)
                continue
            }
            guard let server = server ?? (try? Socket.connected(to: core.serverPort)) else { return true }
            self.server = server
            wait(server, conditions)
            do {
                try read(client, into: &toServer, conditions)
                try read(server, into: &toClient, conditions)
                try write(&toServer, to: server, .toServer, conditions)
                try write(&toClient, to: client, .toClient, conditions)
            } catch let cut as CutReached {
                return cut.reset
            } catch {
                return true
            }
            if toServer.isEndSent && toClient.isEndSent { return false }
        }
    }

    private struct CutReached: Error {
        let reset: Bool
    }

    /// Waits for bytes or until a piece is due, at most 10 ms, so that a change of mode takes effect.
    private func wait(_ server: Socket, _ conditions: TCPProxy.Conditions) {
        var limit = Duration.milliseconds(10)
        let now = ContinuousClock.now
        for pipe in [toServer, toClient] {
            // A piece that is due waits for room: `entry` requests POLLOUT for it.
            if let due = pipe.nextDue(conditions), due > now { limit = min(limit, due - now) }
        }
        var entries = [
            entry(client, reading: toServer, writing: toClient, now, conditions),
            entry(server, reading: toClient, writing: toServer, now, conditions),
        ]
        _ = poll(&entries, 2, limit.milliseconds)
        // poll() reports a hang-up even if no event is requested; without a pause this would spin.
        let seen = entries.reduce(0) { $0 | $1.revents }
        if seen != 0, seen & Int16(POLLIN | POLLOUT) == 0 { usleep(1_000) }
    }

    private func entry(
        _ socket: Socket,
        reading: TCPProxyPipe,
        writing: TCPProxyPipe,
        _ now: ContinuousClock.Instant,
        _ conditions: TCPProxy.Conditions
    ) -> pollfd {
        var events: Int32 = 0
        if reading.wantsBytes(conditions) { events |= POLLIN }
        if !writing.due(at: now, conditions).isEmpty { events |= POLLOUT }
        return pollfd(fd: socket.number, events: Int16(events), revents: 0)
    }

    private func read(_ socket: Socket, into pipe: inout TCPProxyPipe, _ conditions: TCPProxy.Conditions) throws {
        guard pipe.wantsBytes(conditions) else { return }
        switch socket.receive(atMost: 16_384) {
        case .bytes(let bytes): pipe.received(bytes, at: .now, conditions)
        case .nothing: break
        case .end(hasFailed: false): pipe.ended()
        case .end(hasFailed: true): throw FaultKitError("read from a socket: it has failed")
        }
    }

    private func write(
        _ pipe: inout TCPProxyPipe,
        to socket: Socket,
        _ direction: TCPProxy.Direction,
        _ conditions: TCPProxy.Conditions
    ) throws {
        let bytes = pipe.due(at: .now, conditions)
        if !bytes.isEmpty {
            let (sent, cut) = try core.pass(bytes, direction, scanner: &pipe.scanner, to: socket)
            pipe.wrote(sent, at: .now, conditions)
            if let cut { throw CutReached(reset: cut.reset) }
        }
        if pipe.isDrained && !pipe.isEndSent {
            _ = socket.use { Glibc.shutdown($0, Int32(SHUT_WR)) }
            pipe.isEndSent = true
        }
    }
}
