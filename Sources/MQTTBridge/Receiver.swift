import AsyncEventBus
import Locking
import Logging
import MessageStore
import Mosquitto

/// Turns the messages of one broker into events, and what happens to its connection into reports.
///
/// All calls come from the thread of the broker's client.
final class Receiver: ClientDelegate {
    /// What is to be done with the messages of one batch.
    struct Batch {
        var intake = Journal.Intake()
        /// Events in the order of their messages: those that the store keeps go to the listeners that are not named.
        var events = EmitBatch()
        /// Those of them that are emitted though the store fails: the broker does not send them again.
        var unrepeated = EmitBatch()
        /// Identities of what came first, to be forgotten if none of it is kept.
        var identities: [Guards.Heard] = []
        /// When the batch came.
        var time = Timestamp.now

        /// For the next batch: empty, and with the storage that it has.
        mutating func reset() {
            intake = Journal.Intake()
            events.removeAll()
            unrepeated.removeAll()
            identities.removeAll(keepingCapacity: true)
        }
    }

    let broker: Broker
    let link: String
    let format: WireFormat
    let context: BridgeContext
    let journal: Journal?
    let sender: Sender
    /// The last batch, for its storage.
    private let spare = Locked<Batch?>(nil)

    init(broker: Broker, link: String, context: BridgeContext, journal: Journal?, sender: Sender) {
        self.broker = broker
        self.link = link
        format = broker.wireFormat
        self.context = context
        self.journal = journal
        self.sender = sender
    }

    func client(received messages: [Message]) -> Intake {
        CrashPoint.afterRead.pass()
        var batch = spare.withLock { spare in
            defer { spare = nil }
            return spare ?? Batch()
        }
        defer {
            batch.reset()
            spare.withLock { [batch] in $0 = batch }
        }
        batch.time = .now
        // By position: a copy of a message costs a count up and down for each thing in it.
        for position in messages.indices { receive(messages[position], &batch) }
        if let journal, !batch.intake.isEmpty {
            do throws(StoreError) {
                try journal.commit(&batch.intake)
            } catch {
                context.guards.unhear(batch.identities)
                sender.withdraw(batch.intake.departures)
                context.bus.emit(&batch.unrepeated)
                return .refuse
            }
        } else if let journal, !batch.intake.seen.isEmpty {
            journal.work.add { $0.seen += batch.intake.seen }
        }
        context.bus.emit(&batch.events)
        CrashPoint.beforeWrite.pass()
        return .acknowledge
    }

    func clientWroteAcknowledgements() {
        CrashPoint.afterWrite.pass()
        journal?.wroteAcknowledgements()
    }

    private func receive(_ message: Message, _ batch: inout Batch) {
        let plan = plan(for: message)
        guard !plan.places.isEmpty else { return }
        // The client leaves out what is larger than the limit.
        if let size = message.omittedPayloadSize {
            tooLarge(message, size, plan, &batch)
            return
        }
        let decoded = format.decode(message)
        if let id = decoded.id {
            guard id.source != context.bus.source else {
                // Without No Local every publish comes back, and state that is kept comes with each connection: neither
                // is anything to tell.
                if format.version == .v5, !message.isRetained { drop(.loop, message, "our own event came back") }
                return
            }
            _ = context.guards.places(id, link: link, topic: message.topic)
        } else if format.needsEchoWindow, !message.isRetained,
            context.guards.isEcho(link: link, topic: message.topic, payload: message.payload)
        {
            return
        }
        let fresh = decoded.id ?? context.bus.makeID()
        for place in plan.places {
            if decoded.id != nil {
                let heard = Guards.Heard(id: fresh, name: place.match.event)
                guard context.guards.hears(heard) else {
                    // State that is kept comes again with each connection, and is not news.
                    if !message.isRetained { drop(.loop, message, "another copy came before") }
                    continue
                }
                batch.identities.append(heard)
            }
            if place.isDurable, keep(message, place, decoded, fresh, &batch) { continue }
            let event = event(place, message, decoded, fresh, at: batch.time, isForwarded: false)
            batch.events.append(event, to: place.destination)
            if journal != nil, message.qos == .atMostOnce { batch.unrepeated.append(event, to: place.destination) }
        }
    }

    /// What becomes of the messages on the topic of this one.
    private func plan(for message: Message) -> TopicPlan {
        let topic = message.topicMemory.topic
        if let plan = topic?.note as? TopicPlan { return plan }
        let matches = context.table.lookUpInbound(message.topic, broker: broker.name)
        let plan = TopicPlan(
            places: matches.map { EventPlace($0, destination: context.bus.destination(for: $0.event)) }
        )
        topic?.note = plan
        return plan
    }

    func event(
        _ place: EventPlace,
        _ message: Message,
        _ decoded: WireFormat.Decoded,
        _ id: EventID,
        at time: Timestamp,
        isForwarded: Bool
    ) -> Event {
        func makeOrigin() -> EventOrigin {
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
                    isForwarded: isForwarded
                ),
                hops: decoded.hops,
                isReplayed: message.isRetained
            )
        }
        let isPlain = decoded.origin == nil && decoded.hops == 0
        return Event(
            id: id,
            name: place.match.event,
            payload: Payload(decoded.payload),
            time: decoded.time ?? time,
            origin: isPlain ? place.origin(of: message, isForwarded: isForwarded, make: makeOrigin) : makeOrigin(),
            attributes: decoded.attributes
        )
    }

    func drop(_ kind: StatusReporter.Counted, _ message: Message, _ reason: String) {
        context.reporter.count(kind, broker: broker.name, topic: message.topic, reason: reason)
    }
}
