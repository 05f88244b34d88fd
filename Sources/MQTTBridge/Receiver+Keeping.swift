import AsyncEventBus
import MessageStore
import Mosquitto

/// Messages of durable routes: prepared for the store, or remembered there as too large.
extension Receiver {
    /// Prepares a message of a durable route for the store. Returns false where nobody would miss it.
    func keep(
        _ message: inout Message,
        _ place: EventPlace,
        _ decoded: WireFormat.Decoded,
        _ number: UInt64,
        _ batch: inout Batch
    ) -> Bool {
        guard let journal else { return false }
        let now = batch.intake.time(by: journal.clock)
        if let id = decoded.id {
            batch.intake.seen.append(
                SeenIdentity(source: id.source, tag: id.tag, event: place.match.event.text, time: now)
            )
        }
        let event = event(place, &message, decoded, number, at: batch.time, isForwarded: true)
        let (inboxes, hasOthers) = context.bus.receivers(at: place.destination)
        let departures = sender.departures(for: event)
        for departure in departures { journal.pressure.forwards(from: broker.name, by: departure.record.route) }
        if !departures.isEmpty { batch.intake.departures += departures }
        if !inboxes.isEmpty {
            let record = RecordCodec.inbound(
                event,
                message,
                route: place.match.route,
                audience: batch.intake.audience(of: inboxes),
                eventTime: decoded.time,
                now: now
            )
            batch.intake.arrivals.append(record, event, inboxes)
        }
        if hasOthers { batch.events.append(event, to: place.destination, includesNamed: false) }
        return true
    }

    /// Acknowledged, counted, and on a durable route remembered without its payload.
    func tooLarge(_ message: Message, _ size: Int, _ plan: TopicPlan, _ batch: inout Batch) {
        let reason = "payload of \(size) bytes, \(context.options.maximumPayload) are taken"
        guard let journal, let match = plan.places.first(where: \.isDurable)?.match else {
            drop(.dropped, message, reason)
            return
        }
        let id = format.decode(message).id ?? context.bus.id(context.bus.makeNumber())
        let now = journal.clock.now
        let letter = DeadLetter(
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
        batch.intake.letters.append(letter)
        drop(.dropped, message, reason)
        context.reporter.count(
            .deadletter,
            broker: broker.name,
            topic: message.topic,
            reason: reason,
            more: [("event", JSONText.string(match.event.text)), ("attempts", "0")]
        )
    }
}
