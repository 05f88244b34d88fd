extension FakeBroker.Packet {
    /// Decodes a PUBLISH. Throws if the packet has another type or is malformed.
    package func publish() throws -> FakeBroker.PublishPacket {
        try check(.publish)
        var reader = ByteReader(body)
        let qos = flags >> 1 & 0x03
        let topic = try reader.binary()
        let packetID = qos > 0 ? try reader.twoBytes() : nil
        let properties = try reader.properties(version)
        return .init(
            topicBytes: topic,
            payload: reader.remainder(),
            qos: qos,
            retain: flags & 0x01 != 0,
            dup: flags & 0x08 != 0,
            packetID: packetID,
            properties: properties
        )
    }

    /// Decodes a SUBSCRIBE. Throws if the packet has another type or is malformed.
    package func subscribe() throws -> FakeBroker.SubscribePacket {
        try check(.subscribe)
        var reader = ByteReader(body)
        let packetID = try reader.twoBytes()
        let properties = try reader.properties(version)
        var filters: [FakeBroker.Subscription] = []
        while !reader.isAtEnd {
            filters.append(.init(filter: try reader.string(), options: try reader.byte()))
        }
        return .init(packetID: packetID, filters: filters, properties: properties)
    }

    /// Decodes an UNSUBSCRIBE. Throws if the packet has another type or is malformed.
    package func unsubscribe() throws -> FakeBroker.UnsubscribePacket {
        try check(.unsubscribe)
        var reader = ByteReader(body)
        let packetID = try reader.twoBytes()
        let properties = try reader.properties(version)
        var filters: [String] = []
        while !reader.isAtEnd { filters.append(try reader.string()) }
        return .init(packetID: packetID, filters: filters, properties: properties)
    }

    /// Decodes a PUBACK, PUBREC, PUBREL or PUBCOMP. Throws if the packet has another type or is malformed.
    package func acknowledgement() throws -> FakeBroker.AcknowledgementPacket {
        try check(.puback, .pubrec, .pubrel, .pubcomp)
        var reader = ByteReader(body)
        let packetID = try reader.twoBytes()
        let (reason, properties) = try Self.ending(&reader, version)
        return .init(packetID: packetID, reason: reason, properties: properties)
    }

    /// Decodes a DISCONNECT. Throws if the packet has another type or is malformed.
    package func disconnect() throws -> FakeBroker.DisconnectPacket {
        try check(.disconnect)
        var reader = ByteReader(body)
        let (reason, properties) = try Self.ending(&reader, version)
        return .init(reason: reason, properties: properties)
    }

    /// Reads a reason code and properties, both optional in MQTT 5 (sections 3.4.2.1 and 3.14.2.1).
    private static func ending(
        _ reader: inout ByteReader,
        _ version: FakeBroker.ProtocolVersion
    ) throws -> (UInt8, [FakeBroker.Property]) {
        let reason = reader.isAtEnd ? 0 : try reader.byte()
        return (reason, reader.isAtEnd ? [] : try reader.properties(version))
    }
}
