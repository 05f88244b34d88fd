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

    func client(received messages: consuming [Message]) -> Intake {
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
        for position in messages.indices { receive(&messages[position], &batch) }
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

    /// - Parameter message: Not changed, here and below: a copy of it costs a count up and down for each thing in it.
    private func receive(_ message: inout Message, _ batch: inout Batch) {
        let plan = message.knownTopic?.note as? TopicPlan ?? makePlan(for: message)
        guard !plan.places.isEmpty else { return }
        guard message.isPlain, !format.readsEnvelopes, !format.needsEchoWindow else {
            receiveSpecial(&message, plan, &batch)
            return
        }
        let decoded = WireFormat.Decoded(payload: message.payload)
        let number = context.bus.makeNumber()
        for position in plan.places.indices { take(&message, plan.places[position], decoded, number, &batch) }
    }

    /// A message that says something about its event, or may be an echo, or is too large. Apart from those that most
    /// are: what these need would be made ready for all.
    @inline(never)
    private func receiveSpecial(_ message: inout Message, _ plan: TopicPlan, _ batch: inout Batch) {
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
        let number = decoded.id == nil ? context.bus.makeNumber() : 0
        for place in plan.places {
            if let id = decoded.id {
                let heard = Guards.Heard(id: id, name: place.match.event)
                guard context.guards.hears(heard) else {
                    // State that is kept comes again with each connection, and is not news.
                    if !message.isRetained { drop(.loop, message, "another copy came before") }
                    continue
                }
                batch.identities.append(heard)
            }
            take(&message, place, decoded, number, &batch)
        }
    }

    /// Puts the event of a message into the batch, or the message into its part for the store.
    ///
    /// - Parameter number: The number of the event on this bus, where the message has no identity.
    private func take(
        _ message: inout Message,
        _ place: EventPlace,
        _ decoded: WireFormat.Decoded,
        _ number: UInt64,
        _ batch: inout Batch
    ) {
        if place.isDurable, keep(&message, place, decoded, number, &batch) { return }
        let event = event(place, &message, decoded, number, at: batch.time, isForwarded: false)
        batch.events.append(event, to: place.destination)
        if journal != nil, message.qos == .atMostOnce { batch.unrepeated.append(event, to: place.destination) }
    }

    /// Finds out what becomes of the messages on the topic of this one.
    private func makePlan(for message: Message) -> TopicPlan {
        let matches = context.table.lookUpInbound(message.topic, broker: broker.name)
        let plan = TopicPlan(
            places: matches.map { EventPlace($0, destination: context.bus.destination(for: $0.event)) }
        )
        message.knownTopic?.note = plan
        return plan
    }

    /// - Parameter number: The number of the event on this bus, where the message has no identity.
    func event(
        _ place: EventPlace,
        _ message: inout Message,
        _ decoded: WireFormat.Decoded,
        _ number: UInt64,
        at time: Timestamp,
        isForwarded: Bool
    ) -> Event {
        let isPlain = decoded.id == nil && decoded.origin == nil && decoded.hops == 0
        guard isPlain else {
            return Event(
                id: decoded.id ?? context.bus.id(number),
                name: place.match.event,
                payload: Payload(decoded.payload),
                time: decoded.time ?? time,
                origin: makeOrigin(place, message, decoded, isForwarded: isForwarded),
                attributes: decoded.attributes
            )
        }
        let kind = EventPlace.Kind(qos: message.qos, isRetained: message.isRetained, isForwarded: isForwarded)
        return context.bus.makeEvent(
            number,
            place.match.event,
            Payload(decoded.payload),
            time: decoded.time ?? time,
            origin: place.origin(of: kind)
                ?? place.share(makeOrigin(place, message, decoded, isForwarded: isForwarded), among: kind),
            attributes: decoded.attributes
        )
    }

    private func makeOrigin(
        _ place: EventPlace,
        _ message: Message,
        _ decoded: WireFormat.Decoded,
        isForwarded: Bool
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
                isForwarded: isForwarded
            ),
            hops: decoded.hops,
            isReplayed: message.isRetained
        )
    }

    func drop(_ kind: StatusReporter.Counted, _ message: Message, _ reason: String) {
        context.reporter.count(kind, broker: broker.name, topic: message.topic, reason: reason)
    }
}
