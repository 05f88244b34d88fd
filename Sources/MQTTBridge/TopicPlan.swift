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
    /// What plain messages, which say nothing about where they come from, have in common.
    private struct Shared {
        let qos: QoS
        let isRetained: Bool
        let isForwarded: Bool
        let origin: EventOrigin
        var uses = 0
    }

    /// How many events share an origin: we take references and listeners drop them, and one object for all would go to
    /// and fro between their processors with each event.
    private static let usesLimit = 256

    let match: RouteTable.Inbound
    let destination: Destination
    /// Whether the store keeps the messages. Apart from the route, which is large to copy.
    let isDurable: Bool
    private var shared: Shared?

    init(_ match: RouteTable.Inbound, destination: Destination) {
        self.match = match
        self.destination = destination
        isDurable = match.route.isDurable
    }

    /// The origin of a plain message, made by `make` where it cannot be that of an earlier one.
    func origin(of message: Message, isForwarded: Bool, make: () -> EventOrigin) -> EventOrigin {
        if let known = shared, known.qos == message.qos, known.isRetained == message.isRetained,
            known.isForwarded == isForwarded, known.uses < Self.usesLimit
        {
            shared?.uses += 1
            return known.origin
        }
        let origin = make()
        shared = Shared(qos: message.qos, isRetained: message.isRetained, isForwarded: isForwarded, origin: origin)
        return origin
    }
}
