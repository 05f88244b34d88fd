/// The quality of service on one hop, between a client and a broker (MQTT 5, section 4.3).
public enum QoS: UInt8, Sendable, Hashable, Comparable, CaseIterable {
    /// Sent once without an acknowledgement: may be lost.
    case atMostOnce = 0
    /// Sent until acknowledged: may arrive twice.
    case atLeastOnce = 1
    /// Sent with a handshake: neither lost nor duplicated on this hop, as long as both sides keep their session state.
    ///
    /// Inbound, libmosquitto sends PUBREC before it hands the message over (2.0.11, handle_publish.c): a crash in
    /// between loses the message. ``atLeastOnce`` does not lose it.
    case exactlyOnce = 2

    /// Orders by level.
    public static func < (left: QoS, right: QoS) -> Bool { left.rawValue < right.rawValue }
}

/// The protocol version of a connection.
public enum ProtocolVersion: String, Sendable, Hashable, CaseIterable {
    /// MQTT 3.1.1: no properties, no No Local; reason codes only in SUBACK and CONNACK.
    case v3_1_1 = "3.1.1"
    /// MQTT 5.
    case v5 = "5"
}
