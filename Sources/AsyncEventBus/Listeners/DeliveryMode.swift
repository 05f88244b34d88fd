/// The number of parallel calls of a listener, and their order.
public struct DeliveryMode: Sendable {
    enum Kind: Sendable {
        case parallel(limit: Int)
        case keyed(limit: Int, key: @Sendable (Event) -> String)
        case keyedByCapture(limit: Int, name: String)
    }

    let kind: Kind

    /// One call at a time. Events of one emitter arrive in the order of their emits.
    public static let serial = DeliveryMode(kind: .parallel(limit: 1))

    /// Up to `limit` calls at a time, which begin in the order of the events and end in any order.
    public static func concurrent(limit: Int) -> DeliveryMode {
        precondition(limit >= 1, "a listener needs room for one call")
        return DeliveryMode(kind: .parallel(limit: limit))
    }

    /// One call at a time for each key, up to `limit` in all: in order per key, parallel across keys.
    ///
    /// A slow call holds up only its own key, as long as there are fewer slow keys than `limit`.
    ///
    /// - Parameters:
    ///   - limit: The most calls at the same time, 1 or more.
    ///   - key: Runs on the emitter's thread; should be quick.
    public static func keyed(limit: Int = 64, by key: @escaping @Sendable (Event) -> String) -> DeliveryMode {
        precondition(limit >= 1, "a listener needs room for one call")
        return DeliveryMode(kind: .keyed(limit: limit, key: key))
    }

    /// One call at a time for each text of a capture, up to `limit` in all: `.keyed(\.id)`.
    ///
    /// Only for a listener of a ``Topic`` that has the capture: anything else is a programmer's mistake and traps.
    public static func keyed(
        limit: Int = 64,
        _ capture: KeyPath<TopicCaptures, TopicCaptures.Capture>
    ) -> DeliveryMode {
        precondition(limit >= 1, "a listener needs room for one call")
        return DeliveryMode(kind: .keyedByCapture(limit: limit, name: TopicCaptures()[keyPath: capture].name))
    }

    /// The same mode for a listener of a topic.
    func resolved(_ template: EventTemplate) -> DeliveryMode {
        guard case .keyedByCapture(let limit, let capture) = kind else { return self }
        precondition(template.captures.contains(capture), "topic \(template) has no capture \(capture) for a key")
        return .keyed(limit: limit) { template.capture(capture, of: $0.name) ?? "" }
    }

    var limit: Int {
        switch kind {
        case .parallel(let limit), .keyed(let limit, _), .keyedByCapture(let limit, _): limit
        }
    }

    var hasKeys: Bool {
        switch kind {
        case .parallel: false
        case .keyed, .keyedByCapture: true
        }
    }

    func key(of event: Event) -> String? {
        switch kind {
        case .parallel, .keyedByCapture: nil
        case .keyed(_, let key): key(event)
        }
    }
}

/// The policy for an event that finds a mailbox full. Discarded events are counted, and `$bus.dropped` reports the
/// beginning of an overflow.
///
/// ``EventBus/emitWhenRoom(_:_:attributes:scope:)-(_,Payload,_,_)`` waits for room instead. No policy displaces an event
/// that it put into a mailbox: if only such events wait there, the new event is discarded.
public enum OverflowPolicy: Sendable, Hashable {
    /// Discards the event that has waited longest: fresh readings matter more than old ones.
    ///
    /// With ``DeliveryMode/keyed(limit:by:)`` the oldest event of the same key goes first, so that a flood of one key
    /// does not displace events of the others.
    case dropOldest

    /// Discards the new event, and keeps the accepted ones.
    case dropNewest
}
