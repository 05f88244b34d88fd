extension FakeBroker {
    /// What a client says in its CONNECT (MQTT 5, section 3.1).
    package struct ConnectPacket: Sendable, Equatable {
        /// The message the broker publishes when the connection ends without DISCONNECT.
        package struct Will: Sendable, Equatable {
            /// Where it is published.
            package var topic: String
            /// Its bytes.
            package var payload: [UInt8]
            /// 0 to 3; 3 is malformed.
            package var qos: UInt8
            /// Whether the broker keeps it.
            package var retain: Bool
            /// Empty with MQTT 3.1.1.
            package var properties: [Property]
        }

        /// `MQTT`.
        package var protocolName: String
        /// 4 for MQTT 3.1.1, 5 for MQTT 5; other numbers come here too.
        package var protocolLevel: UInt8
        /// Empty when the broker is to choose.
        package var clientID: String
        /// Clean session in MQTT 3.1.1.
        package var cleanStart: Bool
        /// In seconds; 0 is off.
        package var keepAlive: UInt16
        /// Nil when there is none.
        package var username: String?
        /// Nil when there is none.
        package var password: [UInt8]?
        /// Nil when there is none.
        package var will: Will?
        /// Empty with MQTT 3.1.1.
        package var properties: [Property]
    }
}

extension FakeBroker.Packet {
    /// Reads the packet as CONNECT. The version in the packet decides, not ``version``.
    ///
    /// - Throws: `FaultKitError` when it is another packet, or malformed.
    package func connect() throws -> FakeBroker.ConnectPacket {
        try check(.connect)
        var reader = ByteReader(body)
        let name = try reader.string()
        let level = try reader.byte()
        let version: FakeBroker.ProtocolVersion = level == 5 ? .v5 : .v311
        let flags = try reader.byte()
        var packet = FakeBroker.ConnectPacket(
            protocolName: name,
            protocolLevel: level,
            clientID: "",
            cleanStart: flags & 0x02 != 0,
            keepAlive: try reader.twoBytes(),
            properties: try reader.properties(version)
        )
        packet.clientID = try reader.string()
        if flags & 0x04 != 0 {
            let properties = try reader.properties(version)
            packet.will = .init(
                topic: try reader.string(),
                payload: try reader.binary(),
                qos: flags >> 3 & 0x03,
                retain: flags & 0x20 != 0,
                properties: properties
            )
        }
        if flags & 0x80 != 0 { packet.username = try reader.string() }
        if flags & 0x40 != 0 { packet.password = try reader.binary() }
        return packet
    }
}
