extension FakeBroker.Property {
    /// Writes the identifier and the value (MQTT 5, table 2-4).
    func encode(into writer: inout ByteWriter) {
        switch self {
        case .payloadFormat(let value): writer.property(1, byte: value)
        case .messageExpiry(let value): writer.property(2, fourBytes: value)
        case .contentType(let value): writer.property(3, string: value)
        case .responseTopic(let value): writer.property(8, string: value)
        case .correlationData(let value): writer.property(9, binary: value)
        case .subscriptionIdentifier(let value):
            writer.byte(11)
            writer.variableInteger(value)
        case .sessionExpiry(let value): writer.property(17, fourBytes: value)
        case .assignedClientID(let value): writer.property(18, string: value)
        case .serverKeepAlive(let value): writer.property(19, twoBytes: value)
        case .authenticationMethod(let value): writer.property(21, string: value)
        case .authenticationData(let value): writer.property(22, binary: value)
        case .requestProblemInformation(let value): writer.property(23, byte: value ? 1 : 0)
        case .willDelay(let value): writer.property(24, fourBytes: value)
        case .requestResponseInformation(let value): writer.property(25, byte: value ? 1 : 0)
        case .responseInformation(let value): writer.property(26, string: value)
        case .serverReference(let value): writer.property(28, string: value)
        case .reasonString(let value): writer.property(31, string: value)
        case .receiveMaximum(let value): writer.property(33, twoBytes: value)
        case .topicAliasMaximum(let value): writer.property(34, twoBytes: value)
        case .topicAlias(let value): writer.property(35, twoBytes: value)
        case .maximumQoS(let value): writer.property(36, byte: value)
        case .retainAvailable(let value): writer.property(37, byte: value ? 1 : 0)
        case .userProperty(let name, let value):
            writer.property(38, string: name)
            writer.string(value)
        case .maximumPacketSize(let value): writer.property(39, fourBytes: value)
        case .wildcardAvailable(let value): writer.property(40, byte: value ? 1 : 0)
        case .subscriptionIDsAvailable(let value): writer.property(41, byte: value ? 1 : 0)
        case .sharedAvailable(let value): writer.property(42, byte: value ? 1 : 0)
        case .raw(let bytes): writer.raw(bytes)
        }
    }
}

extension ByteWriter {
    /// Writes the length and the properties; nothing for MQTT 3.1.1, which has no properties.
    mutating func properties(_ properties: [FakeBroker.Property], _ version: FakeBroker.ProtocolVersion) {
        guard version == .v5 else { return }
        var inner = ByteWriter()
        for property in properties { property.encode(into: &inner) }
        variableInteger(UInt32(inner.bytes.count))
        raw(inner.bytes)
    }

    fileprivate mutating func property(_ identifier: UInt8, byte value: UInt8) {
        raw([identifier, value])
    }

    fileprivate mutating func property(_ identifier: UInt8, twoBytes value: UInt16) {
        byte(identifier)
        twoBytes(value)
    }

    fileprivate mutating func property(_ identifier: UInt8, fourBytes value: UInt32) {
        byte(identifier)
        fourBytes(value)
    }

    fileprivate mutating func property(_ identifier: UInt8, string value: String) {
        byte(identifier)
        string(value)
    }

    fileprivate mutating func property(_ identifier: UInt8, binary value: [UInt8]) {
        byte(identifier)
        binary(value)
    }
}
