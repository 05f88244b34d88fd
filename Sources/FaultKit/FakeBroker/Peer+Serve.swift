extension FakeBroker.Peer {
    /// Reads CONNECT and answers it.
    ///
    /// - Throws: `FaultKitError` if another packet arrives, or none in time.
    @discardableResult
    package func accept(
        sessionPresent: Bool = false,
        reason: UInt8 = 0,
        properties: [FakeBroker.Property] = []
    ) throws -> FakeBroker.ConnectPacket {
        let connect = try expectConnect()
        try send(.connack(sessionPresent: sessionPresent, reason: reason, properties: properties))
        return connect
    }

    /// Answers packets until the client disconnects or the broker is stopped; has no time limit.
    ///
    /// Grants subscriptions as requested and delivers no messages to them.
    ///
    /// - Parameter answer: Called with each packet. Returns the packets to send instead of the usual answer (none for an
    ///   empty array), or nil for the usual answer.
    /// - Throws: The errors of `answer`, and `FaultKitError` for bytes that are no packet.
    package func serve(
        _ answer: (FakeBroker.Packet) throws -> [FakeBroker.ServerPacket]? = { _ in nil }
    ) throws {
        while true {
            switch try next(within: timeLimit) {
            case .nothing: continue
            case .end: return
            case .packet(let packet):
                for reply in try answer(packet) ?? usualAnswer(to: packet) { try send(reply) }
                if packet.type == .disconnect { return }
            }
        }
    }

    /// Returns the answer of a broker that accepts everything; empty if the packet needs no answer.
    package func usualAnswer(to packet: FakeBroker.Packet) throws -> [FakeBroker.ServerPacket] {
        switch packet.type {
        case .connect: return [.connack()]
        case .pingreq: return [.pingresp]
        case .subscribe:
            let subscribe = try packet.subscribe()
            return [.suback(packetID: subscribe.packetID, reasons: subscribe.filters.map(\.qos))]
        case .unsubscribe:
            let unsubscribe = try packet.unsubscribe()
            return [.unsuback(packetID: unsubscribe.packetID, reasons: unsubscribe.filters.map { _ in 0 })]
        case .publish:
            let publish = try packet.publish()
            guard let packetID = publish.packetID else { return [] }
            return [publish.qos == 1 ? .puback(packetID: packetID) : .pubrec(packetID: packetID)]
        case .pubrel: return [.pubcomp(packetID: try packet.acknowledgement().packetID)]
        case .pubrec: return [.pubrel(packetID: try packet.acknowledgement().packetID)]
        default: return []
        }
    }
}
