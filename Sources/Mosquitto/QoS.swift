/// How hard both sides try to get a message across one hop (MQTT 5, section 4.3).
public enum QoS: UInt8, Sendable, Hashable, Comparable, CaseIterable {
    /// Sent once, not acknowledged: may be lost.
    case atMostOnce = 0
    /// Sent until acknowledged: may come twice.
    case atLeastOnce = 1
    /// Sent by a handshake that neither loses nor doubles on this hop, as long as neither side loses its memory.
    ///
    /// Inbound, libmosquitto answers the handshake before it hands the message over (2.0.11, handle_publish.c): a crash
    /// in between loses it. ``atLeastOnce`` does not.
    case exactlyOnce = 2

    /// Whether the left one tries less hard.
    public static func < (left: QoS, right: QoS) -> Bool { left.rawValue < right.rawValue }
}

/// The version of the protocol on a connection.
public enum ProtocolVersion: String, Sendable, Hashable, CaseIterable {
    /// MQTT 3.1.1: no properties, no reason codes but for subscriptions, no No Local.
    case v3_1_1 = "3.1.1"
    /// MQTT 5.
    case v5 = "5"
}
