/// A protocol violation by the broker, detected before libmosquitto acts on the packet.
enum PacketBreach: Sendable, Equatable {
    case reservedType
    case malformed
    case tooLarge(size: UInt64, limit: UInt64)
    case unknownProperty(UInt8)
    case tooManyProperties
    case tooManyUnreleased(limit: UInt64)
    case unreleasedTooLarge(limit: UInt64)
    case versionRefused
    case outOfStep

    /// The error with which the connection ends.
    func error(_ operation: String) -> ClientError {
        guard self != .versionRefused else {
            let connack = CallbackBuffer.Connack(reason: .unsupportedProtocolVersion, sessionPresent: false)
            return .refusedConnection(operation, connack, will: nil)
        }
        return ClientError(.protocolError, operation: operation, detail: detail, advice: advice)
    }

    private var detail: String {
        switch self {
        case .reservedType:
            "the broker sent a packet of type 0, which does not exist"
        case .malformed:
            "the broker sent a packet whose fields do not match its length"
        case .tooLarge(let size, let limit):
            "the broker sent a packet of \(size) bytes, but may send at most \(limit)"
        case .unknownProperty(let identifier):
            "the broker sent a property that MQTT 5 does not know (\(identifier))"
        case .tooManyProperties:
            "the broker sent a packet with more properties than a packet may have"
        case .tooManyUnreleased(let limit):
            "the broker has more than \(limit) messages at QoS 2 under way"
        case .unreleasedTooLarge(let limit):
            "the broker has messages at QoS 2 of more than \(limit) bytes under way"
        case .versionRefused:
            "the broker does not speak MQTT 5"
        case .outOfStep:
            "libmosquitto \(Library.versionText) reads packets in an unexpected way"
        }
    }

    private var advice: String {
        switch self {
        case .outOfStep: "Report it, with the version and the origin of libmosquitto"
        default: "Check that an MQTT broker listens at this address, and that it works"
        }
    }
}
