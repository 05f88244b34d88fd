public import AsyncEventBus

/// A status event of a bridge: what happened, to which broker, and the details.
///
/// ```swift
/// bus.on("$bridge.*") { event in
///     guard let status = BridgeEvent(event) else { return }
///     if status.kind == .deadLetter { alert(status.topic, status.reason) }
/// }
/// ```
///
/// Only a bridge makes one: an event that anybody else emits under such a name is none, whatever its payload says.
public struct BridgeEvent: Sendable {
    /// What happened. Later versions may add kinds: switch with a default.
    public struct Kind: RawRepresentable, Sendable, Hashable {
        /// The last segment of the name: `connected` for `$bridge.connected`.
        public let rawValue: String

        /// Creates the kind of a name.
        public init(rawValue: String) {
            self.rawValue = rawValue
        }

        /// A connection is accepted.
        public static let connected = Kind(rawValue: "connected")
        /// A connection has ended.
        public static let disconnected = Kind(rawValue: "disconnected")
        /// The routes of a broker are subscribed.
        public static let subscribed = Kind(rawValue: "subscribed")
        /// The broker has lost the session, and the messages in it.
        public static let sessionLost = Kind(rawValue: "sessionlost")
        /// The broker lacks a feature, so that less is promised.
        public static let degraded = Kind(rawValue: "degraded")
        /// The bridge does not read from the broker for a while.
        public static let parked = Kind(rawValue: "parked")
        /// The bridge reads from the broker again.
        public static let resumed = Kind(rawValue: "resumed")
        /// The bridge has ended.
        public static let stopped = Kind(rawValue: "stopped")
        /// An answer, a commit or a call of a listener does not come to its end.
        public static let stalled = Kind(rawValue: "stalled")
        /// What stalled goes on.
        public static let recovered = Kind(rawValue: "recovered")
        /// The store cannot be written.
        public static let storeFailed = Kind(rawValue: "storefailed")
        /// The store can be written again.
        public static let storeRecovered = Kind(rawValue: "storerecovered")
        /// Messages were refused.
        public static let refused = Kind(rawValue: "refused")
        /// Messages were dropped.
        public static let dropped = Kind(rawValue: "dropped")
        /// Messages were not forwarded, since they came before or go in a circle.
        public static let loop = Kind(rawValue: "loop")
        /// Messages had the identity of another message.
        public static let forged = Kind(rawValue: "forged")
        /// Messages wait in the store.
        public static let stored = Kind(rawValue: "stored")
        /// Messages have become dead letters.
        public static let deadLetter = Kind(rawValue: "deadletter")
    }

    /// What happened.
    public let kind: Kind

    private let members: [(String, String)]

    init(kind: Kind, members: [(String, String)]) {
        (self.kind, self.members) = (kind, members)
    }

    /// Returns the status that an event reports; nil if no bridge of this process has made it.
    public init?(_ event: Event) {
        guard let details = event.origin.transport as? StatusDetails else { return nil }
        self = details.status
    }

    /// A member of the payload, by its name: a text without its quotes, a number as it is spelled; nil if there is none.
    public subscript(member: String) -> String? {
        guard let value = members.last(where: { $0.0 == member })?.1 else { return nil }
        return JSONText.text(Array(value.utf8)[...]) ?? value
    }

    /// The name of the broker; nil if it concerns the whole bridge.
    public var broker: String? { self["broker"] }
    /// The topic, or one of several.
    public var topic: String? { self["topic"] }
    /// The reason, or one of several.
    public var reason: String? { self["reason"] }
    /// The name of the listener.
    public var listener: String? { self["listener"] }
    /// The number of messages since the last report of this kind and broker.
    public var count: Int? { self["count"].flatMap { Int($0) } }
    /// The number of messages since the start.
    public var total: Int? { self["total"].flatMap { Int($0) } }
}

extension BridgeEvent: CustomStringConvertible {
    /// The kind and the members, as JSON.
    public var description: String { "\(kind.rawValue) \(JSONText.object(members))" }
}

/// Marks an event as a status event of a bridge of this process.
final class StatusDetails: TransportDetails {
    let status: BridgeEvent
    /// Names no connection.
    let link = ""

    init(_ status: BridgeEvent) {
        self.status = status
    }
}
