extension FakeBroker.Property {
    /// Reads one property (MQTT 5, table 2-4).
    init(from reader: inout ByteReader) throws {
        let identifier = try reader.variableInteger()
        switch identifier {
        case 1: self = .payloadFormat(try reader.byte())
        case 2: self = .messageExpiry(try reader.fourBytes())
        case 3: self = .contentType(try reader.string())
        case 8: self = .responseTopic(try reader.string())
        case 9: self = .correlationData(try reader.binary())
        case 11: self = .subscriptionIdentifier(try reader.variableInteger())
        case 17: self = .sessionExpiry(try reader.fourBytes())
        case 18: self = .assignedClientID(try reader.string())
        case 19: self = .serverKeepAlive(try reader.twoBytes())
        case 21: self = .authenticationMethod(try reader.string())
        case 22: self = .authenticationData(try reader.binary())
        case 23: self = .requestProblemInformation(try reader.byte() != 0)
        case 24: self = .willDelay(try reader.fourBytes())
        case 25: self = .requestResponseInformation(try reader.byte() != 0)
        case 26: self = .responseInformation(try reader.string())
        case 28: self = .serverReference(try reader.string())
        case 31: self = .reasonString(try reader.string())
        case 33: self = .receiveMaximum(try reader.twoBytes())
        case 34: self = .topicAliasMaximum(try reader.twoBytes())
        case 35: self = .topicAlias(try reader.twoBytes())
        case 36: self = .maximumQoS(try reader.byte())
        case 37: self = .retainAvailable(try reader.byte() != 0)
        case 38: self = .userProperty(try reader.string(), try reader.string())
        case 39: self = .maximumPacketSize(try reader.fourBytes())
        case 40: self = .wildcardAvailable(try reader.byte() != 0)
        case 41: self = .subscriptionIDsAvailable(try reader.byte() != 0)
        case 42: self = .sharedAvailable(try reader.byte() != 0)
        default: throw FaultKitError("decode a packet: property \(identifier) does not exist")
        }
    }
}

extension ByteReader {
    /// Reads the length and the properties; returns none for MQTT 3.1.1, which has no properties.
    mutating func properties(_ version: FakeBroker.ProtocolVersion) throws -> [FakeBroker.Property] {
        guard version == .v5 else { return [] }
        var inner = ByteReader(try bytes(Int(variableInteger())))
        var properties: [FakeBroker.Property] = []
        while !inner.isAtEnd { properties.append(try FakeBroker.Property(from: &inner)) }
        return properties
    }
}
