extension FakeBroker {
    /// A property of MQTT 5 (section 2.2.2.2).
    package enum Property: Sendable, Equatable {
        case payloadFormat(UInt8)
        case messageExpiry(UInt32)
        case contentType(String)
        case responseTopic(String)
        case correlationData([UInt8])
        case subscriptionIdentifier(UInt32)
        case sessionExpiry(UInt32)
        case assignedClientID(String)
        case serverKeepAlive(UInt16)
        case authenticationMethod(String)
        case authenticationData([UInt8])
        case requestProblemInformation(Bool)
        case willDelay(UInt32)
        case requestResponseInformation(Bool)
        case responseInformation(String)
        case serverReference(String)
        case reasonString(String)
        case receiveMaximum(UInt16)
        case topicAliasMaximum(UInt16)
        case topicAlias(UInt16)
        case maximumQoS(UInt8)
        case retainAvailable(Bool)
        case userProperty(String, String)
        case maximumPacketSize(UInt32)
        case wildcardAvailable(Bool)
        case subscriptionIDsAvailable(Bool)
        case sharedAvailable(Bool)
        /// Bytes written unchanged among the properties, for malformed packets. Never decoded.
        case raw([UInt8])
    }
}
