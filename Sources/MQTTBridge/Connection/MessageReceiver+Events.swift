import AsyncEventBus
import Mosquitto

/// Makes events of messages.
extension MessageReceiver {
    /// - Parameter number: The number of the event on this bus; used if the message has no identity.
    func event(
        _ place: EventPlace,
        _ message: inout Message,
        _ decoded: DecodedMessage,
        _ number: UInt64,
        _ batch: borrowing Batch,
        isForwarded: Bool
    ) -> Event {
        let time = batch.time
        let isPlain = decoded.id == nil && decoded.origin == nil && decoded.hops == 0
        guard isPlain, case .none = batch.passage else {
            return Event(
                id: decoded.id ?? context.bus.id(number),
                name: place.match.event,
                payload: Payload(decoded.payload),
                time: decoded.time ?? time,
                origin: makeOrigin(place, message, decoded, isForwarded: isForwarded, batch),
                attributes: decoded.attributes
            )
        }
        let kind = EventPlace.Kind(
            qos: message.qos,
            isRetained: message.isRetained,
            isReplayed: batch.isReplay,
            isForwarded: isForwarded
        )
        return context.bus.makeEvent(
            number,
            place.match.event,
            Payload(decoded.payload),
            time: decoded.time ?? time,
            origin: place.origin(of: kind)
                ?? place.share(makeOrigin(place, message, decoded, isForwarded: isForwarded, batch), among: kind),
            attributes: decoded.attributes
        )
    }

    private func makeOrigin(
        _ place: EventPlace,
        _ message: Message,
        _ decoded: DecodedMessage,
        isForwarded: Bool,
        _ batch: borrowing Batch
    ) -> EventOrigin {
        EventOrigin(
            bus: decoded.origin ?? context.bus.source,
            transport: MQTTDetails(
                broker: broker.name,
                link: link,
                topic: message.topic,
                qos: message.qos,
                isRetained: message.isRetained,
                route: place.match.route.name,
                carriesIdentity: format.carriesIdentity,
                isForwarded: isForwarded,
                passage: batch.passage
            ),
            hops: decoded.hops,
            isReplayed: batch.isReplay
        )
    }
}
