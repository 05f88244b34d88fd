/// How many calls of a listener run at a time, and in which order.
public struct DeliveryMode: Sendable {
    enum Kind: Sendable {
        case parallel(limit: Int)
        case keyed(limit: Int, key: @Sendable (Event) -> String)
    }

    let kind: Kind

    /// One call at a time. Events of one emitter are heard in the order it emitted them.
    public static let serial = DeliveryMode(kind: .parallel(limit: 1))

    /// Up to `limit` calls at a time, begun in the order of the events, ending in any.
    public static func concurrent(limit: Int) -> DeliveryMode {
        precondition(limit >= 1, "a listener needs room for one call")
        return DeliveryMode(kind: .parallel(limit: limit))
    }

    /// One call at a time for each key, up to `limit` in all: in order per key, parallel across keys.
    ///
    /// A slow call holds up its own key and no other, as long as there are fewer slow keys than `limit`.
    ///
    /// - Parameter key: Runs on the emitter's thread; should be quick.
    public static func keyed(limit: Int = 64, by key: @escaping @Sendable (Event) -> String) -> DeliveryMode {
        precondition(limit >= 1, "a listener needs room for one call")
        return DeliveryMode(kind: .keyed(limit: limit, key: key))
    }

    var limit: Int {
        switch kind {
        case .parallel(let limit), .keyed(let limit, _): limit
        }
    }

    var hasKeys: Bool {
        switch kind {
        case .parallel: false
        case .keyed: true
        }
    }

    func key(of event: Event) -> String? {
        switch kind {
        case .parallel: nil
        case .keyed(_, let key): key(event)
        }
    }
}

/// What happens to an event that finds a mailbox full. Every event discarded is counted and told as `$bus.dropped`.
///
/// ``EventBus/emitWhenRoom(_:_:attributes:scope:)`` waits for room instead. Neither policy displaces an event that it has
/// put into a mailbox: if no other event waits there, the new event is discarded.
public enum OverflowPolicy: Sendable, Hashable {
    /// The event that has waited longest makes room: fresh readings matter more than old ones.
    ///
    /// With ``DeliveryMode/keyed(limit:by:)`` the oldest of the same key goes first, so that a flood of one key does not
    /// push out the others.
    case dropOldest

    /// The new event is discarded: what was accepted is kept.
    case dropNewest
}
