/// A topic filter, and how messages that match it are to be sent (MQTT 5, section 3.8.3.1).
public struct SubscriptionRequest: Sendable, Hashable {
    /// What happens to messages that the broker has kept, when the subscription is made.
    public enum RetainHandling: UInt8, Sendable, Hashable {
        /// They are sent.
        case send = 0
        /// They are sent if the session does not have this subscription yet.
        case sendIfNew = 1
        /// They are not sent.
        case doNotSend = 2
    }

    /// The topic filter.
    public var filter: String
    /// The most that is asked for; the broker may grant less.
    public var qos: QoS
    /// Whether messages that this client publishes are not sent back to it. MQTT 5 only, and not for shared
    /// subscriptions, where it is a protocol error.
    public var noLocal: Bool
    /// Whether the retain flag comes as the publisher set it. MQTT 5 only.
    public var retainAsPublished: Bool
    /// What happens to kept messages. MQTT 5 only; 3.1.1 always sends them.
    public var retainHandling: RetainHandling

    /// A request.
    public init(
        _ filter: String,
        qos: QoS = .atLeastOnce,
        noLocal: Bool = false,
        retainAsPublished: Bool = false,
        retainHandling: RetainHandling = .send
    ) {
        self.filter = filter
        self.qos = qos
        self.noLocal = noLocal
        self.retainAsPublished = retainAsPublished
        self.retainHandling = retainHandling
    }

    /// The bits of the subscription options other than the QoS.
    var optionBits: UInt8 {
        (noLocal ? 0x04 : 0) | (retainAsPublished ? 0x08 : 0) | (retainHandling.rawValue << 4)
    }
}

/// What the broker said to a subscription.
public struct SubscriptionResult: Sendable, Hashable {
    /// What was asked.
    public let request: SubscriptionRequest
    /// The answer: a granted QoS, or a refusal.
    public let reason: ReasonCode

    /// The QoS granted; nil where refused.
    public var grantedQoS: QoS? { reason.isSuccess ? QoS(rawValue: reason.rawValue) : nil }
}
