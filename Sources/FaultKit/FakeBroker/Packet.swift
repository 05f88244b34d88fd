extension FakeBroker {
    /// The protocol version that a client requests in its CONNECT.
    package enum ProtocolVersion: UInt8, Sendable {
        /// MQTT 3.1.1.
        case v311 = 4
        /// MQTT 5.
        case v5 = 5
    }

    /// The control packet types, with their numbers in the high bits of the first byte (MQTT 5, section 2.1.2).
    package enum PacketType: UInt8, Sendable, CaseIterable {
        case connect = 1, connack, publish, puback, pubrec, pubrel, pubcomp, subscribe, suback
        case unsubscribe, unsuback, pingreq, pingresp, disconnect, auth
    }

    /// A control packet whose body is not decoded.
    package struct Packet: Sendable, Equatable {
        /// The type.
        package var type: PacketType
        /// The low four bits of the first byte.
        package var flags: UInt8
        /// The bytes after the remaining length.
        package var body: [UInt8]
        /// The protocol version of the connection, which determines how to decode the body.
        package var version: ProtocolVersion

        /// The packet identifier of an acknowledgement, SUBSCRIBE, UNSUBSCRIBE or PUBLISH above QoS 0; otherwise nil.
        package var packetID: UInt16? {
            switch type {
            case .puback, .pubrec, .pubrel, .pubcomp, .subscribe, .suback, .unsubscribe, .unsuback:
                var reader = ByteReader(body)
                return try? reader.twoBytes()
            case .publish:
                return try? publish().packetID
            default:
                return nil
            }
        }

        /// The encoded packet.
        package var bytes: [UInt8] {
            var writer = ByteWriter()
            writer.raw(body)
            return writer.packet(firstByte: type.rawValue << 4 | flags)
        }

        func check(_ expected: PacketType...) throws {
            guard expected.contains(type) else {
                throw FaultKitError("expected \(expected), received \(type) (\(body.count) bytes)")
            }
        }
    }
}

extension FakeBroker.Packet {
    /// Removes one packet from the front of `buffer`, or returns nil if it is incomplete.
    package static func take(
        from buffer: inout [UInt8],
        version: FakeBroker.ProtocolVersion
    ) throws -> FakeBroker.Packet? {
        guard let first = buffer.first else { return nil }
        let length = buffer.dropFirst().prefix(4)
        let bytesOfLength = length.prefix { $0 >= 0x80 }.count + 1
        if bytesOfLength > 4 { throw FaultKitError("read a packet: its length has more than 4 bytes") }
        guard length.count >= bytesOfLength else { return nil }
        var reader = ByteReader(length)
        let start = 1 + bytesOfLength
        let end = start + Int(try reader.variableInteger())
        guard buffer.count >= end else { return nil }
        guard let type = FakeBroker.PacketType(rawValue: first >> 4) else {
            throw FaultKitError("read a packet: type 0 does not exist")
        }
        defer { buffer.removeFirst(end) }
        return .init(type: type, flags: first & 0x0f, body: Array(buffer[start..<end]), version: version)
    }
}
