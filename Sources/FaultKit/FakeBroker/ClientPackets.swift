extension FakeBroker {
    /// A PUBLISH of the client (MQTT 5, section 3.3).
    package struct PublishPacket: Sendable, Equatable {
        /// The topic as it came.
        package var topicBytes: [UInt8]
        /// The payload.
        package var payload: [UInt8]
        /// 0 to 3; 3 is malformed.
        package var qos: UInt8
        /// The retain flag.
        package var retain: Bool
        /// The duplicate flag.
        package var dup: Bool
        /// Nil at QoS 0.
        package var packetID: UInt16?
        /// Empty with MQTT 3.1.1.
        package var properties: [Property]
        /// The topic as text, with replacement characters where it is not valid.
        package var topic: String { String(decoding: topicBytes, as: UTF8.self) }
        /// The payload as text, with replacement characters where it is not valid.
        package var text: String { String(decoding: payload, as: UTF8.self) }
    }

    /// One filter of a SUBSCRIBE with its options byte (MQTT 5, section 3.8.3.1).
    package struct Subscription: Sendable, Equatable {
        /// The topic filter.
        package var filter: String
        /// The options byte: QoS in the low two bits; with MQTT 5 also the three below.
        package var options: UInt8
        /// The highest QoS wanted.
        package var qos: UInt8 { options & 0x03 }
        /// Not what this client published itself.
        package var noLocal: Bool { options & 0x04 != 0 }
        /// Keep the retain flag as it was published.
        package var retainAsPublished: Bool { options & 0x08 != 0 }
        /// 0 always, 1 only when the subscription is new, 2 never.
        package var retainHandling: UInt8 { options >> 4 & 0x03 }
    }

    /// A SUBSCRIBE of the client.
    package struct SubscribePacket: Sendable, Equatable {
        /// What the answer repeats.
        package var packetID: UInt16
        /// In the order of the packet.
        package var filters: [Subscription]
        /// Empty with MQTT 3.1.1.
        package var properties: [Property]
    }

    /// An UNSUBSCRIBE of the client.
    package struct UnsubscribePacket: Sendable, Equatable {
        /// What the answer repeats.
        package var packetID: UInt16
        /// In the order of the packet.
        package var filters: [String]
        /// Empty with MQTT 3.1.1.
        package var properties: [Property]
    }

    /// A PUBACK, PUBREC, PUBREL or PUBCOMP of the client.
    package struct AcknowledgementPacket: Sendable, Equatable {
        /// What the answer repeats.
        package var packetID: UInt16
        /// 0 where the packet has none.
        package var reason: UInt8
        /// Empty with MQTT 3.1.1.
        package var properties: [Property]
    }

    /// A DISCONNECT of the client.
    package struct DisconnectPacket: Sendable, Equatable {
        /// 0 where the packet has none.
        package var reason: UInt8
        /// Empty with MQTT 3.1.1.
        package var properties: [Property]
    }
}
