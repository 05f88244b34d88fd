/// Whether the broker supports QoS 2. Some brokers answer PUBLISH at QoS 2 with PUBACK. libmosquitto treats that as a
/// protocol error, so that each connection ends at the same message. Pure.
struct ExactlyOnceWatch: Sendable {
    private static let enough = 2
    private var breaches = 0

    /// Whether the client publishes at QoS 1 at most.
    var isAvoided: Bool { breaches >= Self.enough }

    /// Whether the next success at QoS 2 clears the suspicion.
    var isWatching: Bool { breaches == 1 }

    /// Whether these messages in flight may explain a protocol error.
    func blames(_ underWay: [Publication]) -> Bool {
        !isAvoided && underWay.contains { $0.message.qos == .exactlyOnce }
    }

    /// A connection has ended with such an error. Returns whether the client publishes at QoS 1 from now on.
    mutating func ended() -> Bool {
        breaches += 1
        return isAvoided
    }

    /// The broker has acknowledged a message at QoS 2.
    mutating func passed() {
        if isWatching { breaches = 0 }
    }
}

extension Message {
    /// The message, with QoS 2 lowered to 1.
    var atLeastOnceAtMost: Message {
        guard qos == .exactlyOnce else { return self }
        var message = self
        message.qos = .atLeastOnce
        return message
    }
}
