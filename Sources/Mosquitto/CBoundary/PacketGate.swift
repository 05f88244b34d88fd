internal import CInterposition
internal import CMosquitto
internal import Logging
internal import Synchronization

/// Inspects the packets of one connection before libmosquitto acts on them. A packet that would crash the process or
/// exhaust its memory ends the connection.
@safe package final class PacketGate {
    /// The most packets read in one turn of the client's thread.
    static let turnPackets: UInt32 = 1_024
    /// The most bytes of packets read in one turn.
    static let turnBytes: UInt32 = 1 << 20
    /// The most user properties of a message. Of a message with more, the library gets the first 1,025.
    static let userProperties = Int(PACKET_GATE_USER_PROPERTIES)
    /// The most unreleased messages at QoS 2 for MQTT 3.1.1, which has no receive maximum.
    private static let unreleasedBefore5: UInt32 = 65_535
    /// The limit of unreleased messages at QoS 2, in multiples of ``ClientOptions/Limits/maximumPacketSize``.
    private static let largestUnreleased: UInt64 = 16

    /// Why packets cannot be inspected in this process; nil if they are.
    package static let obstacle: String? = {
        let version = Library.version
        let minor = (version.major, version.minor)
        // A later version may read packets differently, and each connection would end as out of step.
        guard minor < (2, 2) else { return "libmosquitto \(Library.versionText) is untested; use 2.0 or 2.1" }
        return unsafe packet_gate_install(minor >= (2, 1)).map { unsafe String(cString: $0) }
    }()

    private static let isWarned = Atomic(false)

    /// Warns once per process if packets are not inspected.
    static func warnOnce(_ logger: Logger) {
        guard let obstacle, !isWarned.exchange(true, ordering: .relaxed) else { return }
        logger.warning(
            "packets from brokers are not checked: one can crash this process or exhaust its memory",
            metadata: ["reason": "\(obstacle)"]
        )
    }

    private let pointer: OpaquePointer
    private let packetSize: UInt64

    /// Nil if packets cannot be inspected.
    init?(_ options: ClientOptions) {
        guard Self.obstacle == nil else { return nil }
        let isV5 = options.version == .v5
        packetSize = isV5 ? UInt64(options.limits.maximumPacketSize) : .max
        let limits = packet_limits(
            has_properties: isV5,
            packet_size: packetSize,
            unreleased: isV5 ? UInt32(options.limits.receiveMaximum) : Self.unreleasedBefore5,
            unreleased_size: UInt64(options.limits.maximumPacketSize) * Self.largestUnreleased
        )
        guard let pointer = unsafe packet_gate_create(limits) else { return nil }
        unsafe self.pointer = pointer
        beginTurn()
    }

    deinit {
        unsafe packet_gate_free(pointer)
    }

    /// Reads packets within the limits of the turn.
    func read(_ handle: OpaquePointer) -> Int32 { unsafe packet_gate_loop_read(pointer, handle) }

    func beginTurn() { unsafe packet_gate_begin_turn(pointer, Self.turnPackets, Self.turnBytes) }

    /// Whether the last read returned early because of the limits of the turn.
    var isTurnOver: Bool { unsafe packet_gate_is_turn_over(pointer) }

    /// An upper bound on unsent answers to received packets.
    var answers: Int { unsafe Int(packet_gate_answers(pointer)) }

    func answersWritten() { unsafe packet_gate_clear_answers(pointer) }

    /// The violation that ended the connection.
    var breach: PacketBreach? {
        var size: UInt64 = 0
        return switch unsafe packet_gate_breach(pointer, &size) {
        case PACKET_TYPE_RESERVED: .reservedType
        case PACKET_MALFORMED: .malformed
        case PACKET_TOO_LARGE: .tooLarge(size: size, limit: packetSize)
        case PACKET_PROPERTY_UNKNOWN: .unknownProperty(UInt8(truncatingIfNeeded: size))
        case PACKET_PROPERTIES_TOO_MANY: .tooManyProperties
        case PACKET_UNRELEASED_TOO_MANY: .tooManyUnreleased(limit: size)
        case PACKET_UNRELEASED_TOO_LARGE: .unreleasedTooLarge(limit: size)
        case PACKET_VERSION_REFUSED: .versionRefused
        case PACKET_OUT_OF_STEP: .outOfStep
        default: nil
        }
    }
}
