internal import Foundation
internal import Glibc
internal import Locking

extension FakeBroker {
    /// One connection of a client. The script reads; any thread may send and close.
    package final class Peer: Sendable {
        private struct State {
            var buffer: [UInt8] = []
            var version = ProtocolVersion.v311
            var recorded: [Packet] = []
            var isAtEnd = false
        }

        /// The result of a read.
        enum Arrival {
            case packet(Packet)
            case end
            case nothing
        }

        /// The number of the connection, from 0.
        package let index: Int
        /// The default time limit of a read.
        package let timeLimit: Duration
        let socket: Socket
        private let state = Locked(State())
        private let sending = Locked(())

        init(index: Int, socket: Socket, timeLimit: Duration) {
            self.index = index
            self.socket = socket
            self.timeLimit = timeLimit
        }

        /// All packets read so far.
        package var recorded: [Packet] { state.withLock { $0.recorded } }

        /// The protocol version of the last CONNECT; MQTT 3.1.1 before it.
        package var version: ProtocolVersion { state.withLock { $0.version } }

        /// Reads the next packet; returns nil if the client has closed or reset the connection.
        ///
        /// - Throws: `FaultKitError` if no packet arrives in time or the bytes are no packet.
        package func read(timeout: Duration? = nil) throws -> Packet? {
            switch try next(within: timeout ?? timeLimit) {
            case .packet(let packet): return packet
            case .end: return nil
            case .nothing: throw FaultKitError("read a packet: none came within \(timeout ?? timeLimit)")
            }
        }

        /// Waits for bytes. Returns false if the limit passes or the client closes the connection.
        package func bytesAvailable(within limit: Duration) throws -> Bool {
            if state.withLock({ !$0.buffer.isEmpty }) { return true }
            return try fill(within: limit) && state.withLock { !$0.isAtEnd }
        }

        /// Sends a packet.
        ///
        /// - Throws: `FaultKitError` if the client is gone or does not read for 30 seconds.
        package func send(_ packet: ServerPacket) throws { try sendRaw(packet.encode(version)) }

        /// Sends bytes unchanged.
        package func sendRaw(_ bytes: [UInt8]) throws {
            try sending.withLock { _ in try socket.send(bytes) }
        }

        /// Closes the connection at once, with FIN or with RST.
        package func close(reset: Bool = false) {
            if reset { socket.reset() } else { socket.shutdown() }
        }

        /// Sets the approximate number of unread bytes that the kernel buffers. With a small buffer, a client cannot write
        /// soon after the script stops reading.
        package func setReceiveBuffer(_ bytes: Int32) {
            var bytes = bytes
            _ = socket.use { setsockopt($0, SOL_SOCKET, SO_RCVBUF, &bytes, socklen_t(MemoryLayout<Int32>.size)) }
        }

        func next(within limit: Duration) throws -> Arrival {
            let deadline = ContinuousClock.now + limit
            while true {
                if let packet = try takePacket() { return .packet(packet) }
                if state.withLock({ $0.isAtEnd }) { return .end }
                guard try fill(within: deadline - ContinuousClock.now) else { return .nothing }
            }
        }

        private func takePacket() throws -> Packet? {
            try state.withLock { state in
                guard var packet = try Packet.take(from: &state.buffer, version: state.version) else { return nil }
                if packet.type == .connect, let connect = try? packet.connect() {
                    state.version = connect.protocolLevel == 5 ? .v5 : .v311
                    packet.version = state.version
                }
                state.recorded.append(packet)
                return packet
            }
        }

        /// Reads once; returns false if the limit passes first.
        private func fill(within limit: Duration) throws -> Bool {
            guard socket.isReadable(within: limit) else { return false }
            let input = socket.receive()
            state.withLock { state in
                switch input {
                case .bytes(let bytes): state.buffer += bytes
                case .nothing: break
                case .end: state.isAtEnd = true
                }
            }
            return true
        }
    }
}
