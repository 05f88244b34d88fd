extension FakeBroker {
    /// A PUBLISH of the client (MQTT 5, section 3.3).
    public struct PublishPacket: Sendable, Equatable {
        /// The topic as it came.
        public var topicBytes: [UInt8]
        /// The payload.
        public var payload: [UInt8]
        /// 0 to 3; 3 is malformed.
        public var qos: UInt8
        /// The retain flag.
        public var retain: Bool
        /// The duplicate flag.
        public var dup: Bool
        /// Nil at QoS 0.
        public var packetID: UInt16?
        /// Empty with MQTT 3.1.1.
        public var properties: [Property]
        /// The topic as text, with replacement characters where it is not valid.
        public var topic: String { String(decoding: topicBytes, as: UTF8.self) }
        /// The payload as text, with replacement characters where it is not valid.
        public var text: String { String(decoding: payload, as: UTF8.self) }
    }

    /// One filter of a SUBSCRIBE with its options byte (MQTT 5, section 3.8.3.1).
    public struct Subscription: Sendable, Equatable {
        /// The topic filter.
        public var filter: String
        /// The options byte: QoS in the low two bits; with MQTT 5 also the three below.
        public var options: UInt8
        /// The highest QoS wanted.
        public var qos: UInt8 { options & 0x03 }
        /// Not what this client published itself.
        public var noLocal: Bool { options & 0x04 != 0 }
        /// Keep the retain flag as it was published.
        public var retainAsPublished: Bool { options & 0x08 != 0 }
        /// 0 always, 1 only when the subscription is new, 2 never.
        public var retainHandling: UInt8 { options >> 4 & 0x03 }
    }

    /// A SUBSCRIBE of the client.
    public struct SubscribePacket: Sendable, Equatable {
        /// What the answer repeats.
        public var packetID: UInt16
        /// In the order of the packet.
        public var filters: [Subscription]
        /// Empty with MQTT 3.1.1.
        public var properties: [Property]
    }

    /// An UNSUBSCRIBE of the client.
    public struct UnsubscribePacket: Sendable, Equatable {
        /// What the answer repeats.
        public var packetID: UInt16
        /// In the order of the packet.
        public var filters: [String]
        /// Empty with MQTT 3.1.1.
        public var properties: [Property]
    }

    /// A PUBACK, PUBREC, PUBREL or PUBCOMP of the client.
    public struct AcknowledgementPacket: Sendable, Equatable {
        /// What the answer repeats.
        public var packetID: UInt16
        /// 0 where the packet has none.
        public var reason: UInt8
        /// Empty with MQTT 3.1.1.
        public var properties: [Property]
    }

    /// A DISCONNECT of the client.
    public struct DisconnectPacket: Sendable, Equatable {
        /// 0 where the packet has none.
        public var reason: UInt8
        /// Empty with MQTT 3.1.1.
        public var properties: [Property]
    }
}
