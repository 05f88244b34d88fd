extension FakeBroker {
    /// A packet for the client, encoded for the protocol version of its connection.
    ///
    /// With MQTT 3.1.1, reason codes are left out except in CONNACK and SUBACK, and properties are left out.
    package struct ServerPacket: Sendable {
        /// Returns the encoded packet, for scripts that cut or join packets.
        package let encode: @Sendable (ProtocolVersion) -> [UInt8]

        private init(_ firstByte: UInt8, _ body: @escaping @Sendable (inout ByteWriter, ProtocolVersion) -> Void) {
            encode = { version in
                var writer = ByteWriter()
                body(&writer, version)
                return writer.packet(firstByte: firstByte)
            }
        }

        private init(bytes: [UInt8]) {
            encode = { _ in bytes }
        }

        /// Bytes sent unchanged.
        package static func raw(_ bytes: [UInt8]) -> ServerPacket { ServerPacket(bytes: bytes) }

        /// CONNACK. With MQTT 3.1.1 the reason is a return code (0…5).
        package static func connack(
            sessionPresent: Bool = false,
            reason: UInt8 = 0,
            properties: [Property] = []
        ) -> ServerPacket {
            ServerPacket(0x20) { writer, version in
                writer.raw([sessionPresent ? 1 : 0, reason])
                writer.properties(properties, version)
            }
        }

        /// PUBLISH. Includes the packet identifier at QoS 1 to 3 only (3 is malformed).
        package static func publish(
            topic: String,
            payload: [UInt8] = [],
            qos: UInt8 = 0,
            packetID: UInt16 = 1,
            retain: Bool = false,
            dup: Bool = false,
            properties: [Property] = []
        ) -> ServerPacket {
            publish(
                topicBytes: Array(topic.utf8),
                payload: payload,
                qos: qos,
                packetID: packetID,
                retain: retain,
                dup: dup,
                properties: properties
            )
        }

        /// PUBLISH to a topic that may be invalid text: NUL, invalid UTF-8, wildcards.
        package static func publish(
            topicBytes: [UInt8],
            payload: [UInt8] = [],
            qos: UInt8 = 0,
            packetID: UInt16 = 1,
            retain: Bool = false,
            dup: Bool = false,
            properties: [Property] = []
        ) -> ServerPacket {
            ServerPacket(0x30 | (dup ? 8 : 0) | (qos & 3) << 1 | (retain ? 1 : 0)) { writer, version in
                writer.binary(topicBytes)
                if qos > 0 { writer.twoBytes(packetID) }
                writer.properties(properties, version)
                writer.raw(payload)
            }
        }

        /// PUBACK: the answer to a PUBLISH at QoS 1.
        package static func puback(
            packetID: UInt16,
            reason: UInt8 = 0,
            properties: [Property] = []
        ) -> ServerPacket {
            acknowledgement(0x40, packetID, reason, properties)
        }

        /// PUBREC: the answer to a PUBLISH at QoS 2.
        package static func pubrec(
            packetID: UInt16,
            reason: UInt8 = 0,
            properties: [Property] = []
        ) -> ServerPacket {
            acknowledgement(0x50, packetID, reason, properties)
        }

        /// PUBREL: the answer to a PUBREC.
        package static func pubrel(
            packetID: UInt16,
            reason: UInt8 = 0,
            properties: [Property] = []
        ) -> ServerPacket {
            acknowledgement(0x62, packetID, reason, properties)
        }

        /// PUBCOMP: the answer to a PUBREL.
        package static func pubcomp(
            packetID: UInt16,
            reason: UInt8 = 0,
            properties: [Property] = []
        ) -> ServerPacket {
            acknowledgement(0x70, packetID, reason, properties)
        }

        /// SUBACK with one reason (granted QoS, or 0x80 and above) per filter.
        package static func suback(
            packetID: UInt16,
            reasons: [UInt8],
            properties: [Property] = []
        ) -> ServerPacket {
            ServerPacket(0x90) { writer, version in
                writer.twoBytes(packetID)
                writer.properties(properties, version)
                writer.raw(reasons)
            }
        }

        /// UNSUBACK with one reason per filter.
        package static func unsuback(
            packetID: UInt16,
            reasons: [UInt8] = [0],
            properties: [Property] = []
        ) -> ServerPacket {
            ServerPacket(0xb0) { writer, version in
                writer.twoBytes(packetID)
                writer.properties(properties, version)
                if version == .v5 { writer.raw(reasons) }
            }
        }

        /// PINGRESP.
        package static let pingresp = ServerPacket(bytes: [0xd0, 0])

        /// DISCONNECT, which a broker may send only with MQTT 5; with MQTT 3.1.1 it is sent without a body.
        package static func disconnect(reason: UInt8 = 0, properties: [Property] = []) -> ServerPacket {
            ServerPacket(0xe0) { writer, version in
                guard version == .v5 else { return }
                writer.byte(reason)
                writer.properties(properties, version)
            }
        }

        private static func acknowledgement(
            _ firstByte: UInt8,
            _ packetID: UInt16,
            _ reason: UInt8,
            _ properties: [Property]
        ) -> ServerPacket {
            ServerPacket(firstByte) { writer, version in
                writer.twoBytes(packetID)
                guard version == .v5, reason != 0 || !properties.isEmpty else { return }
                writer.byte(reason)
                writer.properties(properties, version)
            }
        }
    }
}
