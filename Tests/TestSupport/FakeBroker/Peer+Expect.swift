extension FakeBroker.Peer {
    /// Reads the next packet, which must be of this type.
    ///
    /// - Throws: `TestSupportError` when it is another one, the client closed, or nothing came in time.
    @discardableResult
    public func expect(_ type: FakeBroker.PacketType, within limit: Duration? = nil) throws -> FakeBroker.Packet {
        guard let packet = try read(timeout: limit) else {
            throw TestSupportError("expected \(type): the client closed the connection")
        }
        try packet.check(type)
        return packet
    }

    /// Reads the next packet, which must be a CONNECT. From here on the connection has its version.
    @discardableResult
    public func expectConnect(within limit: Duration? = nil) throws -> FakeBroker.ConnectPacket {
        try expect(.connect, within: limit).connect()
    }

    /// Reads the next packet, which must be a PUBLISH.
    @discardableResult
    public func expectPublish(within limit: Duration? = nil) throws -> FakeBroker.PublishPacket {
        try expect(.publish, within: limit).publish()
    }

    /// Reads the next packet, which must be a SUBSCRIBE.
    @discardableResult
    public func expectSubscribe(within limit: Duration? = nil) throws -> FakeBroker.SubscribePacket {
        try expect(.subscribe, within: limit).subscribe()
    }

    /// Reads the next packet, which must be an UNSUBSCRIBE.
    @discardableResult
    public func expectUnsubscribe(within limit: Duration? = nil) throws -> FakeBroker.UnsubscribePacket {
        try expect(.unsubscribe, within: limit).unsubscribe()
    }

    /// Reads the next packet, which must be a PUBACK, PUBREC, PUBREL or PUBCOMP as `type` says.
    @discardableResult
    public func expectAcknowledgement(
        _ type: FakeBroker.PacketType = .puback,
        within limit: Duration? = nil
    ) throws -> FakeBroker.AcknowledgementPacket {
        try expect(type, within: limit).acknowledgement()
    }

    /// Reads the next packet, which must be a DISCONNECT.
    @discardableResult
    public func expectDisconnect(within limit: Duration? = nil) throws -> FakeBroker.DisconnectPacket {
        try expect(.disconnect, within: limit).disconnect()
    }

    /// Waits for the client to close or reset the connection without another packet.
    public func expectEnd(within limit: Duration? = nil) throws {
        if let packet = try read(timeout: limit) {
            throw TestSupportError("expected the end of the connection, received \(packet.type)")
        }
    }
}
