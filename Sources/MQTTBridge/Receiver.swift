import AsyncEventBus
import Logging
import Mosquitto

/// Turns the messages of one broker into events, and what happens to its connection into reports.
///
/// All calls come from the thread of the broker's client.
final class Receiver: ClientDelegate {
    let broker: Broker
    let link: String
    private let format: WireFormat
    let context: BridgeContext

    init(broker: Broker, link: String, context: BridgeContext) {
        self.broker = broker
        self.link = link
        format = broker.wireFormat
        self.context = context
    }

    func client(received messages: [Message]) {
        for message in messages { receive(message) }
    }

    private func receive(_ message: Message) {
        guard message.payload.count <= context.options.maximumPayload else {
            drop(.dropped, message, "payload of \(message.payload.count) bytes")
            return
        }
        let matches = context.table.inbound(message.topic, broker: broker.name)
        guard !matches.isEmpty else { return }
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
            if decoded.id != nil, !context.guards.hears(fresh, as: match.event) {
                // State that is kept comes again with each connection, and is not news.
                if !message.isRetained { drop(.loop, message, "another copy came before") }
                continue
            }
            context.bus.emit(event(match, message, decoded, fresh))
        }
    }

    private func event(
        _ match: RouteTable.Inbound,
        _ message: Message,
        _ decoded: WireFormat.Decoded,
        _ id: EventID
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
                    message: message,
                    route: match.route.name,
                    carriesIdentity: format.carriesIdentity
                ),
                hops: decoded.hops,
                isReplayed: message.isRetained
            ),
            attributes: decoded.attributes
        )
    }

    private func drop(_ kind: StatusReporter.Counted, _ message: Message, _ reason: String) {
        context.reporter.count(kind, broker: broker.name, topic: message.topic, reason: reason)
    }
}
