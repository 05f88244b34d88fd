/// A topic filter with its subscription options (MQTT 5, section 3.8.3.1).
public struct SubscriptionRequest: Sendable, Hashable {
    /// Whether the broker sends retained messages when the subscription is made.
    public enum RetainHandling: UInt8, Sendable, Hashable {
        /// The broker sends retained messages.
        case send = 0
        /// The broker sends retained messages if the session does not have the subscription yet.
        case sendIfNew = 1
        /// The broker does not send retained messages.
        case doNotSend = 2
    }

    /// The topic filter.
    public var filter: String
    /// The maximum QoS; the broker may grant less.
    public var qos: QoS
    /// No Local: the broker does not send this client's own messages back. MQTT 5 only; a protocol error with shared
    /// subscriptions.
    public var noLocal: Bool
    /// Retain As Published: messages keep the retain flag of the publisher. MQTT 5 only.
    public var retainAsPublished: Bool
    /// Retain Handling. MQTT 5 only; brokers at 3.1.1 always send retained messages.
    public var retainHandling: RetainHandling
    /// Whether to mark retained messages, so that with ``retainAsPublished`` a receiver can distinguish them from live
    /// ones: they have ``MessageProperties/subscriptionIdentifiers``, and live messages have none. MQTT 5 only.
    ///
    /// The client sends two SUBSCRIBE packets: one with a subscription identifier, and one that replaces it, without
    /// the identifier and with ``RetainHandling/doNotSend``. A live message that the broker accepts between the two is
    /// marked as well. If the broker lacks subscription identifiers
    /// (``ConnectionInfo/subscriptionIdentifiersAvailable``), the client does not ask for ``retainAsPublished``: then
    /// the retain flag marks retained messages.
    public var marksKept: Bool

    /// Creates a request.
    public init(
        _ filter: String,
        qos: QoS = .atLeastOnce,
        noLocal: Bool = false,
        retainAsPublished: Bool = false,
        retainHandling: RetainHandling = .send,
        marksKept: Bool = false
    ) {
        self.filter = filter
        self.qos = qos
        self.noLocal = noLocal
        self.retainAsPublished = retainAsPublished
        self.retainHandling = retainHandling
        self.marksKept = marksKept
    }

    /// The SUBSCRIBE packets for this request on a connection, in order: option bits and subscription identifier.
    ///
    /// - Parameter hasIdentifiers: Whether the broker supports subscription identifiers.
    func steps(hasIdentifiers: Bool) -> [(optionBits: UInt8, identifier: UInt32?)] {
        guard marksKept else { return [(optionBits, nil)] }
        var (marked, live) = (self, self)
        guard hasIdentifiers else {
            marked.retainAsPublished = false
            return [(marked.optionBits, nil)]
        }
        live.retainHandling = .doNotSend
        return [(marked.optionBits, 1), (live.optionBits, nil)]
    }

    /// The subscription options without the QoS bits.
    var optionBits: UInt8 {
        (noLocal ? 0x04 : 0) | (retainAsPublished ? 0x08 : 0) | (retainHandling.rawValue << 4)
    }
}

/// The broker's answer to a subscription.
public struct SubscriptionResult: Sendable, Hashable {
    /// The request.
    public let request: SubscriptionRequest
    /// The reason code: the granted QoS, or a refusal.
    public let reason: ReasonCode
    /// Whether the broker closes the connection instead of answering. Then ``reason`` is
    /// ``ReasonCode/unspecifiedError``, and the client does not subscribe again until the broker was away or a
    /// connection has lasted for a minute.
    public let isHangUp: Bool

    package init(request: SubscriptionRequest, reason: ReasonCode, isHangUp: Bool = false) {
        self.request = request
        self.reason = reason
        self.isHangUp = isHangUp
    }

    /// The cause of a refusal; nil if the subscription was granted.
    public var refusal: String? {
        guard !reason.isSuccess else { return nil }
        if isHangUp { return "the broker closes the connection on this subscription" }
        return reason == .unspecifiedError ? "the broker gives no reason (0x80)" : "\(reason)"
    }

    /// The granted QoS; nil if the broker refused.
    public var grantedQoS: QoS? { reason.isSuccess ? QoS(rawValue: reason.rawValue) : nil }
}
