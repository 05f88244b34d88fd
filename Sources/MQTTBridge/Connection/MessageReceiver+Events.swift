import AsyncEventBus
import Locking
import Logging
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
        guard isPlain, batch.replyName == nil, case .none = batch.passage else {
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

    /// Turns the response topic of a message into the name for responses. Listeners get it only if the broker's
    /// ``Broker/replyingWithin`` allows it; messages that are forwarded keep it.
    func mapReplyTopic(_ decoded: inout DecodedMessage, _ batch: inout Batch) {
        guard let topic = decoded.attributes.replyTo else { return }
        decoded.attributes.replyTo = nil
        let (table, levels) = (batch.router.table, TopicTemplate.levels(of: topic))
        let isAllowed = broker.replyingWithin.contains { $0.template.matches(levels) }
        // Looks at every route, so not for strangers unless the message can be forwarded.
        if isAllowed || table.brokers.count > 1 {
            batch.replyName = table.replyName(ofTopic: topic, broker: broker.name)
        }
        if isAllowed, let name = batch.replyName {
            decoded.attributes.replyTo = name.text
            return
        }
        let isLogged = isReplyTopicLogged.withLock { isLogged in
            defer { isLogged = true }
            return isLogged
        }
        guard !isLogged else { return }
        context.logger.notice(
            "a response topic is not used: no outbound route publishes to it, or it is outside replying_within",
            metadata: [
                LogKey.broker: "\(broker.name)",
                LogKey.topic: "\(escapedForLog(topic))",
            ]
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
                replyName: batch.replyName,
                passage: batch.passage
            ),
            hops: decoded.hops,
            isReplayed: batch.isReplay
        )
    }
}
