import AsyncEventBus
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
        /// Events in the order of their messages: those to keep first go to the listeners that are not named.
        var events: [(event: Event, isKept: Bool)] = []
        /// Identities of what came first, to be forgotten if none of it is kept.
        var identities: [Guards.Heard] = []
    }

    let broker: Broker
    let link: String
    let format: WireFormat
    let context: BridgeContext
    let journal: Journal?
    let sender: Sender

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
        var batch = Batch()
        for message in messages { receive(message, &batch) }
        if let journal, !batch.intake.isEmpty {
            do throws(StoreError) {
                try journal.commit(batch.intake)
            } catch {
                context.guards.unhear(batch.identities)
                sender.withdraw(batch.intake.departures)
                // The broker keeps those at QoS 1 and sends them again; those at QoS 0 it does not.
                for (event, isKept) in batch.events where !isKept && event.mqtt?.qos == .atMostOnce {
                    context.bus.emit(event)
                }
                return .refuse
            }
        } else if let journal, !batch.intake.seen.isEmpty {
            journal.work.add { $0.seen += batch.intake.seen }
        }
        for (event, isKept) in batch.events {
            if isKept { context.bus.emitToUnnamed(event, scope: .everywhere) } else { context.bus.emit(event) }
        }
        CrashPoint.beforeWrite.pass()
        return .acknowledge
    }

    func clientWroteAcknowledgements() {
        CrashPoint.afterWrite.pass()
    }

    private func receive(_ message: Message, _ batch: inout Batch) {
        let matches = context.table.inbound(message.topic, broker: broker.name)
        guard !matches.isEmpty else { return }
        // The client leaves out what is larger than the limit.
        if let size = message.omittedPayloadSize {
            tooLarge(message, size, matches, &batch)
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
        for match in matches {
            if decoded.id != nil {
                let heard = Guards.Heard(id: fresh, name: match.event)
                guard context.guards.hears(heard) else {
                    // State that is kept comes again with each connection, and is not news.
                    if !message.isRetained { drop(.loop, message, "another copy came before") }
                    continue
                }
                batch.identities.append(heard)
            }
            let isKept = match.route.isDurable && keep(message, match, decoded, fresh, &batch)
            if !isKept { batch.events.append((event(match, message, decoded, fresh, isForwarded: false), false)) }
        }
    }

    func event(
        _ match: RouteTable.Inbound,
        _ message: Message,
        _ decoded: WireFormat.Decoded,
        _ id: EventID,
        isForwarded: Bool
    ) -> Event {
        Event(
            id: id,
            name: match.event,
            payload: Payload(decoded.payload),
            time: decoded.time ?? .now,
            origin: EventOrigin(
                bus: decoded.origin ?? context.bus.source,
                transport: MQTTDetails(
                    broker: broker.name,
                    link: link,
                    topic: message.topic,
                    qos: message.qos,
                    isRetained: message.isRetained,
                    route: match.route.name,
                    carriesIdentity: format.carriesIdentity,
                    isForwarded: isForwarded
                ),
                hops: decoded.hops,
                isReplayed: message.isRetained
            ),
            attributes: decoded.attributes
        )
    }

    func drop(_ kind: StatusReporter.Counted, _ message: Message, _ reason: String) {
        context.reporter.count(kind, broker: broker.name, topic: message.topic, reason: reason)
    }
}
