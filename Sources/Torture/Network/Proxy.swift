internal import Foundation
internal import Glibc
internal import Locking

/// A TCP proxy between the daemon and its broker that can stall and cut.
final class Proxy: Sendable {
    /// Which way bytes go.
    enum Direction: Sendable, Hashable {
        case toBroker
        case toDaemon
    }

    /// A cut that waits for its packet.
    struct PendingCut: Sendable {
        var direction: Direction
        var cut: PacketScanner.Cut
        /// With RST in the place of FIN.
        var resets: Bool
    }

    struct State {
        var isStopped = false
        var isStalled = false
        var cut: PendingCut?
        var passed: [Direction: [UInt8: Int]] = [:]
        var open = 0
        /// Connections that were accepted under an earlier number are to be reset.
        var generation = 0
    }

    /// Where it listens.
    let port: Int
    let brokerPort: Int
    let state = Locked(State())
    private let listener: Socket

    init(to brokerPort: Int) throws {
        self.brokerPort = brokerPort
        (listener, port) = try Socket.listening()
        Thread.detachNewThread { [self] in accept() }
    }

    /// Whether bytes are left where they are, in both directions; new connections are accepted and stall too.
    var isStalled: Bool {
        get { state.withLock { $0.isStalled } }
        set { state.withLock { $0.isStalled = newValue } }
    }

    /// Whether a cut that was asked for has not happened yet.
    var isCutPending: Bool { state.withLock { $0.cut != nil } }

    /// Cuts the connection that brings the next such packet.
    func cut(_ cut: PendingCut?) { state.withLock { $0.cut = cut } }

    /// How many packets of a type have passed, over all connections.
    func passed(_ type: PacketType, _ direction: Direction) -> Int {
        state.withLock { $0.passed[direction]?[type.rawValue] ?? 0 }
    }

    /// Resets every open connection.
    func resetConnections() { state.withLock { $0.generation += 1 } }

    /// Closes everything, and waits up to 2 s until that is done.
    func stop() {
        state.withLock { $0.isStopped = true }
        let deadline = ContinuousClock.now + .seconds(2)
        while state.withLock({ $0.open > 0 }), ContinuousClock.now < deadline { usleep(1_000) }
    }

    private func accept() {
        while !state.withLock({ $0.isStopped }) {
            guard listener.isReadable(within: 10), let client = listener.accepted() else { continue }
            let generation = state.withLock { state in
                state.open += 1
                return state.generation
            }
            Thread.detachNewThread { [self] in
                ProxyLink(proxy: self, client: client, generation: generation)?.run()
                state.withLock { $0.open -= 1 }
            }
        }
        listener.close()
    }
}

/// One connection through the proxy; lives on one thread.
final class ProxyLink {
    private struct Stream {
        var scanner = PacketScanner()
        var waiting: ArraySlice<UInt8> = []
        var counted: [UInt8: Int] = [:]
    }

    /// The bytes after which the connection ends, if the end is near.
    private struct End: Error {
        let resets: Bool
    }

    private let proxy: Proxy
    private let client: Socket
    private let server: Socket
    private let generation: Int
    private var toBroker = Stream()
    private var toDaemon = Stream()

    /// Nil when the broker is away: the client is sent off.
    init?(proxy: Proxy, client: Socket, generation: Int) {
        guard let server = Socket.connected(to: proxy.brokerPort) else {
            client.reset()
            return nil
        }
        (self.proxy, self.client, self.server, self.generation) = (proxy, client, server, generation)
    }

    func run() {
        do {
            while true {
                let (isStopped, isStalled, current) = proxy.state.withLock {
                    ($0.isStopped, $0.isStalled, $0.generation)
                }
                if isStopped { throw End(resets: false) }
                if current != generation { throw End(resets: true) }
                if isStalled {
                    usleep(2_000)
                    continue
                }
                wait()
                try carry(&toBroker, .toBroker, from: client, to: server)
                try carry(&toDaemon, .toDaemon, from: server, to: client)
            }
        } catch let end as End where end.resets {
            client.reset()
            server.reset()
        } catch {
            client.close()
            server.close()
        }
    }

    private func wait() {
        var entries = [
            entry(client, reads: toBroker, writes: toDaemon), entry(server, reads: toDaemon, writes: toBroker),
        ]
        _ = poll(&entries, 2, 10)
    }

    private func entry(_ socket: Socket, reads: Stream, writes: Stream) -> pollfd {
        var events: Int32 = 0
        if reads.waiting.isEmpty { events |= POLLIN }
        if !writes.waiting.isEmpty { events |= POLLOUT }
        return pollfd(fd: socket.number, events: Int16(events), revents: 0)
    }

    private func carry(
        _ stream: inout Stream,
        _ direction: Proxy.Direction,
        from source: Socket,
        to target: Socket
    ) throws {
        if stream.waiting.isEmpty {
            switch source.read(atMost: 65_536) {
            case .bytes(let bytes): try admit(bytes, to: &stream, direction, target)
            case .nothing: break
            case .end: throw End(resets: false)
            }
        }
        guard !stream.waiting.isEmpty else { return }
        guard let count = target.write(stream.waiting) else { throw End(resets: false) }
        stream.waiting = stream.waiting.dropFirst(count)
    }

    private func admit(
        _ bytes: [UInt8],
        to stream: inout Stream,
        _ direction: Proxy.Direction,
        _ target: Socket
    ) throws {
        let cut: Proxy.PendingCut? = proxy.state.withLock { state in
            let pending = state.cut?.direction == direction ? state.cut : nil
            let (passed, isCut) = stream.scanner.scan(bytes[...], cut: pending?.cut)
            stream.waiting = bytes[..<passed]
            for (type, count) in stream.scanner.finished where count != stream.counted[type] {
                state.passed[direction, default: [:]][type, default: 0] += count - (stream.counted[type] ?? 0)
            }
            stream.counted = stream.scanner.finished
            if isCut { state.cut = nil }
            return isCut ? pending : nil
        }
        guard let cut else { return }
        // What stands before the cut still passes, as far as there is room.
        _ = target.write(stream.waiting)
        throw End(resets: cut.resets)
    }
}
