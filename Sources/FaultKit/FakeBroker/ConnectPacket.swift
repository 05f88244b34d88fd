extension FakeBroker {
    /// A CONNECT of the client (MQTT 5, section 3.1).
    package struct ConnectPacket: Sendable, Equatable {
        /// The message that the broker publishes if the connection ends without DISCONNECT.
        package struct Will: Sendable, Equatable {
            /// The topic.
            package var topic: String
            /// The payload.
            package var payload: [UInt8]
            /// The QoS, 0 to 3; 3 is malformed.
            package var qos: UInt8
            /// The retain flag.
            package var retain: Bool
            /// The properties; empty with MQTT 3.1.1.
            package var properties: [Property]
        }

        /// The protocol name: `MQTT`.
        package var protocolName: String
        /// The protocol level: 4 for MQTT 3.1.1, 5 for MQTT 5, or any other number that the client sent.
        package var protocolLevel: UInt8
        /// The client identifier; empty if the broker assigns one.
        package var clientID: String
        /// Whether the session starts empty (clean session in MQTT 3.1.1).
        package var cleanStart: Bool
        /// The keep-alive interval in seconds; 0 turns it off.
        package var keepAlive: UInt16
        /// The user name; nil if there is none.
        package var username: String?
        /// The password; nil if there is none.
        package var password: [UInt8]?
        /// The will; nil if there is none.
        package var will: Will?
        /// The properties; empty with MQTT 3.1.1.
        package var properties: [Property]
    }
}

extension FakeBroker.Packet {
    /// Decodes a CONNECT, with the version in the packet instead of ``version``.
    ///
    /// - Throws: `FaultKitError` if the packet has another type or is malformed.
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
