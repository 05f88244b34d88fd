/// The origin of an event.
///
/// Cheap to copy: a transport creates one origin for all events from the same place, and shares it.
public struct EventOrigin: Sendable {
    private final class Storage: Sendable {
        let bus: String
        let transport: (any TransportDetails)?
        let hops: Int
        let isReplayed: Bool

        init(bus: String, transport: (any TransportDetails)?, hops: Int, isReplayed: Bool) {
            self.bus = bus
            self.transport = transport
            self.hops = hops
            self.isReplayed = isReplayed
        }
    }

    private let storage: Storage

    /// The source of the bus that the event first entered.
    public var bus: String { storage.bus }

    /// The transport that brought the event to this bus; nil if it was emitted here.
    public var transport: (any TransportDetails)? { storage.transport }

    /// The number of bridges that forwarded the event; 0 if it was emitted here.
    public var hops: Int { storage.hops }

    /// Whether the event is state that the transport kept for new subscribers, rather than news.
    public var isReplayed: Bool { storage.isReplayed }

    /// Creates an origin.
    public init(bus: String, transport: (any TransportDetails)? = nil, hops: Int = 0, isReplayed: Bool = false) {
        storage = Storage(bus: bus, transport: transport, hops: hops, isReplayed: isReplayed)
    }
}

extension EventOrigin: Equatable {
    /// Whether the fields are equal, and the transport details are the same object.
    public static func == (left: EventOrigin, right: EventOrigin) -> Bool {
        left.storage === right.storage
            || left.bus.hasSameBytes(as: right.bus) && left.transport === right.transport && left.hops == right.hops
                && left.isReplayed == right.isReplayed
    }
}

extension EventOrigin: CustomStringConvertible {
    /// `"hall-1x9q"` for an event that was emitted on this bus; `"hall-1x9q" by "LINK", 2 hops` for one that a transport
    /// brought.
    public var description: String {
        var text = String(reflecting: bus)
        if let transport { text += " by \(String(reflecting: transport.link)), \(hops) hops" }
        return isReplayed ? text + ", replayed" : text
    }
}

/// The details that a transport knows about an event that it brought. Each transport has its own type.
public protocol TransportDetails: AnyObject, Sendable {
    /// The link by which the event arrived. It is not sent back by that link.
    var link: String { get }
}
