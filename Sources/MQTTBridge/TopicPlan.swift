import AsyncEventBus
import Mosquitto

/// What becomes of the messages on one topic: found out once, then kept with the topic.
///
/// Not sendable: belongs to the thread of the broker's client.
final class TopicPlan {
    let places: [EventPlace]

    init(places: [EventPlace]) {
        self.places = places
    }
}

/// Where one route puts the messages of one topic.
final class EventPlace {
    /// What plain messages, which say nothing about where they come from, have in common if they share an origin.
    struct Kind: Equatable {
        let qos: QoS
        let isRetained: Bool
        let isForwarded: Bool
    }

    /// How many events share an origin: we take references and listeners drop them, and one object for all would go to
    /// and fro between their processors with each event.
    private static let usesLimit = 256

    let match: RouteTable.Inbound
    let destination: Destination
    /// Whether the store keeps the messages. Apart from the route, which is large to copy.
    let isDurable: Bool
    private var shared: EventOrigin?
    private var sharedKind: Kind?
    private var uses = 0

    init(_ match: RouteTable.Inbound, destination: Destination) {
        self.match = match
        self.destination = destination
        isDurable = match.route.isDurable
    }

    /// The origin of a plain message; nil where it cannot be that of an earlier one.
    func origin(of kind: Kind) -> EventOrigin? {
        guard sharedKind == kind, uses < Self.usesLimit else { return nil }
        uses += 1
        return shared
    }

    /// Keeps an origin for the next messages.
    func share(_ origin: EventOrigin, among kind: Kind) -> EventOrigin {
        (shared, sharedKind, uses) = (origin, kind, 1)
        return origin
    }
}
