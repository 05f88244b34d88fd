extension FakeBroker {
    /// A PUBLISH of the client (MQTT 5, section 3.3).
    package struct PublishPacket: Sendable, Equatable {
        /// The topic as received.
        package var topicBytes: [UInt8]
        /// The payload.
        package var payload: [UInt8]
        /// The QoS, 0 to 3; 3 is malformed.
        package var qos: UInt8
        /// The retain flag.
        package var retain: Bool
        /// The duplicate flag.
        package var dup: Bool
        /// The packet identifier; nil at QoS 0.
        package var packetID: UInt16?
        /// The properties; empty with MQTT 3.1.1.
        package var properties: [Property]
        /// The topic as text, with replacement characters for invalid UTF-8.
        package var topic: String { String(decoding: topicBytes, as: UTF8.self) }
        /// The payload as text, with replacement characters for invalid UTF-8.
        package var text: String { String(decoding: payload, as: UTF8.self) }
    }

    /// One filter of a SUBSCRIBE with its options byte (MQTT 5, section 3.8.3.1).
    package struct Subscription: Sendable, Equatable {
        /// The topic filter.
        package var filter: String
        /// The options byte: the QoS in the low two bits; with MQTT 5 also the three options below.
        package var options: UInt8
        /// The requested maximum QoS.
        package var qos: UInt8 { options & 0x03 }
        /// Whether the broker omits messages that this client published.
        package var noLocal: Bool { options & 0x04 != 0 }
        /// Whether the broker keeps the retain flag as published.
        package var retainAsPublished: Bool { options & 0x08 != 0 }
        /// When the broker sends retained messages: 0 always, 1 only if the subscription is new, 2 never.
        package var retainHandling: UInt8 { options >> 4 & 0x03 }
    }

    /// A SUBSCRIBE of the client.
    package struct SubscribePacket: Sendable, Equatable {
        /// The packet identifier, which the answer repeats.
        package var packetID: UInt16
        /// The topic filters, in the order of the packet.
        package var filters: [Subscription]
        /// The properties; empty with MQTT 3.1.1.
        package var properties: [Property]
    }

    /// An UNSUBSCRIBE of the client.
    package struct UnsubscribePacket: Sendable, Equatable {
        /// The packet identifier, which the answer repeats.
        package var packetID: UInt16
        /// The topic filters, in the order of the packet.
        package var filters: [String]
        /// The properties; empty with MQTT 3.1.1.
        package var properties: [Property]
    }

    /// A PUBACK, PUBREC, PUBREL or PUBCOMP of the client.
    package struct AcknowledgementPacket: Sendable, Equatable {
        /// The packet identifier, which the answer repeats.
        package var packetID: UInt16
        /// The reason code; 0 if the packet has none.
        package var reason: UInt8
        /// The properties; empty with MQTT 3.1.1.
        package var properties: [Property]
    }

    /// A DISCONNECT of the client.
    package struct DisconnectPacket: Sendable, Equatable {
        /// The reason code; 0 if the packet has none.
        package var reason: UInt8
        /// The properties; empty with MQTT 3.1.1.
        package var properties: [Property]
    }
}
