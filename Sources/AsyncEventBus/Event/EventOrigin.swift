/// Where an event came from.
///
/// Cheap to copy: a transport makes one for the events that it brings in from the same place, and shares it.
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

    /// The transport that brought it to this bus; nil if it was emitted here.
    public var transport: (any TransportDetails)? { storage.transport }

    /// How many bridges passed it on until it came here; 0 if it was emitted here.
    public var hops: Int { storage.hops }

    /// Whether it is state that the transport kept and shows to a newcomer, rather than something that happened now.
    public var isReplayed: Bool { storage.isReplayed }

    /// An origin.
    public init(bus: String, transport: (any TransportDetails)? = nil, hops: Int = 0, isReplayed: Bool = false) {
        storage = Storage(bus: bus, transport: transport, hops: hops, isReplayed: isReplayed)
    }
}

extension EventOrigin: Equatable {
    /// Whether both say the same, and name the same object as the details of the transport.
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

/// What a transport knows about an event that it brought. Each transport has a type of its own.
public protocol TransportDetails: AnyObject, Sendable {
    /// The link that the event came by: an event is not sent back by the link that it came from.
    var link: String { get }
}
