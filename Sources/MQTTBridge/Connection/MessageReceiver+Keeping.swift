import AsyncEventBus
import Locking
import Logging
import MessageStore
import Mosquitto

/// Prepares messages of durable routes for the store.
extension MessageReceiver {
    /// Adds a message of a durable route to the changes of the batch. Returns false without a store.
    func addToStore(
        _ message: inout Message,
        _ place: EventPlace,
        _ decoded: DecodedMessage,
        _ number: UInt64,
        _ batch: inout Batch
    ) -> Bool {
        guard let writer else { return false }
        let now = batch.intake.time(by: writer.clock)
        if let id = decoded.id {
            batch.intake.seen.append(
                SeenIdentity(
                    source: id.source,
                    tag: id.tag,
                    event: place.match.event.text,
                    digest: decoded.digest,
                    time: now
                )
            )
        }
        let event = event(place, &message, decoded, number, batch, isForwarded: true)
        let (mailboxes, hasOthers) = context.bus.receivers(at: place.destination)
        let departures = batch.router.departures(for: event)
        for departure in departures { writer.pressure.forwards(from: broker.name, by: departure.record.route) }
        if !departures.isEmpty { batch.intake.departures += departures }
        if !mailboxes.isEmpty {
            let record = RecordCodec.inbound(
                event,
                message,
                route: place.match.route,
                listeners: batch.intake.listeners(of: mailboxes),
                eventTime: decoded.time,
                now: now
            )
            batch.intake.arrivals.append(record, event, mailboxes)
        } else if departures.isEmpty {
            noteWithoutListener(place.match.route, event.name)
        }
        if hasOthers { batch.events.append(event, to: place.destination, includesDurable: false) }
        return true
    }

    /// Logs, once for each route, that messages of a durable route wait for nobody.
    private func noteWithoutListener(_ route: Route, _ event: EventName) {
        guard routesWithoutListener.withLock({ $0.insert(route.name).inserted }) else { return }
        context.logger.notice(
            "a durable route has no durable listener: the store keeps none of its messages; add one with on(_:durable:)",
            metadata: [
                LogKey.route: "\(escapedForLog(route.name))",
                LogKey.event: "\(escapedForLog(event.text))",
            ]
        )
    }

    /// Drops a message whose payload is too large. On a durable route it leaves a dead letter without the payload.
    func dropTooLarge(_ message: Message, _ size: Int, _ plan: TopicPlan, _ batch: inout Batch) {
        let reason = "payload of \(size) bytes exceeds the limit of \(context.options.maximumPayload)"
        guard let writer, let match = plan.places.first(where: \.isDurable)?.match else {
            count(.dropped, message, reason)
            return
        }
        let id = format.decode(message).id ?? context.bus.id(context.bus.makeNumber())
        let now = writer.clock.now
        let deadLetter = DeadLetter(
            direction: .inbound,
            route: match.route.name,
            broker: broker.name,
            topic: message.topic,
            event: match.event.text,
            source: id.source,
            tag: id.tag,
            payload: nil,
            payloadSize: size,
            error: reason,
            attempts: 0,
            time: now,
            died: now
        )
        batch.intake.deadLetters.append(deadLetter)
        context.reporter.count(
            .deadletter,
            broker: broker.name,
            topic: message.topic,
            reason: reason,
            more: [("event", JSONText.string(match.event.text)), ("attempts", "0")]
        )
    }
}
