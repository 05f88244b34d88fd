extension FakeBroker.Peer {
    /// Reads the next packet, which must be of this type.
    ///
    /// - Throws: `FaultKitError` if its type differs, the client closes the connection, or no packet arrives in time.
    @discardableResult
    package func expect(_ type: FakeBroker.PacketType, within limit: Duration? = nil) throws -> FakeBroker.Packet {
        guard let packet = try read(timeout: limit) else {
            throw FaultKitError("expected \(type): the client closed the connection")
        }
        try packet.check(type)
        return packet
    }

    /// Reads the next packet, which must be a CONNECT. It determines the protocol version of the connection.
    @discardableResult
    package func expectConnect(within limit: Duration? = nil) throws -> FakeBroker.ConnectPacket {
        try expect(.connect, within: limit).connect()
    }

    /// Reads the next packet, which must be a PUBLISH.
    @discardableResult
    package func expectPublish(within limit: Duration? = nil) throws -> FakeBroker.PublishPacket {
        try expect(.publish, within: limit).publish()
    }

    /// Reads the next packet, which must be a SUBSCRIBE.
    @discardableResult
    package func expectSubscribe(within limit: Duration? = nil) throws -> FakeBroker.SubscribePacket {
        try expect(.subscribe, within: limit).subscribe()
    }

    /// Reads the next packet, which must be a PUBACK, PUBREC, PUBREL or PUBCOMP, according to `type`.
    @discardableResult
    package func expectAcknowledgement(
        _ type: FakeBroker.PacketType = .puback,
        within limit: Duration? = nil
    ) throws -> FakeBroker.AcknowledgementPacket {
        try expect(type, within: limit).acknowledgement()
    }

    /// Reads the next packet, which must be a DISCONNECT.
    @discardableResult
    package func expectDisconnect(within limit: Duration? = nil) throws -> FakeBroker.DisconnectPacket {
        try expect(.disconnect, within: limit).disconnect()
    }

    /// Waits for the client to close or reset the connection without another packet.
    package func expectEnd(within limit: Duration? = nil) throws {
        if let packet = try read(timeout: limit) {
            throw FaultKitError("expected the end of the connection, received \(packet.type)")
        }
    }
}
