import AsyncEventBus
import Mosquitto

/// How an event becomes a message of one broker, and back.
struct WireFormat: Sendable {
    let version: ProtocolVersion
    let metadata: Metadata

    /// What a message says about the event that it carries.
    struct Decoded {
        var payload: [UInt8]
        var attributes = EventAttributes()
        /// The identity; nil where the message has none, as from a plain client.
        var id: EventID?
        /// The bus it first entered, where it says so.
        var origin: String?
        var hops = 0
        var time: Timestamp?
    }

    /// Whether other bridges can tell from a message who sent it.
    var carriesIdentity: Bool { version == .v5 ? metadata != .none : metadata == .cloudevents }

    func encode(_ event: Event, topic: String, qos: QoS, retain: Bool) -> Message {
        guard version == .v5 else {
            let payload = metadata == .cloudevents ? CloudEvents.structured(event) : event.payload.bytes
            return Message(topic: topic, payload: payload, qos: qos, isRetained: retain)
        }
        let attributes = event.attributes
        return Message(
            topic: topic,
            payload: event.payload.bytes,
            qos: qos,
            isRetained: retain,
            properties: MessageProperties(
                contentType: attributes.contentType,
                responseTopic: attributes.replyTo,
                correlationData: attributes.correlation,
                expiry: attributes.timeToLive,
                userProperties: attributes.headers.isEmpty
                    ? identity(of: event)
                    : attributes.headers.map { .init($0.name, $0.value) } + identity(of: event)
            )
        )
    }

    private func identity(of event: Event) -> [MessageProperties.UserProperty] {
        let hops = event.origin.hops + 1
        switch metadata {
        case .none:
            return []
        case .minimal:
            let id = MessageProperties.UserProperty(PropertyName.id, event.id.wireText)
            // Each property costs the library more than the message does: the first hop goes without saying.
            return hops == 1 ? [id] : [id, .init(PropertyName.hops, String(hops))]
        case .cloudevents:
            var properties: [MessageProperties.UserProperty] = [
                .init(PropertyName.specVersion, "1.0"), .init(PropertyName.eventID, event.id.tag),
                .init(PropertyName.source, event.id.source), .init(PropertyName.type, event.name.text),
                .init(PropertyName.time, event.time.description), .init(PropertyName.hops, String(hops)),
            ]
            if event.origin.bus != event.id.source { properties.append(.init(PropertyName.origin, event.origin.bus)) }
            return properties
        }
    }

    /// Whether a message without properties says something about its event: in its payload.
    var readsEnvelopes: Bool { version == .v3_1_1 && metadata == .cloudevents }

    func decode(_ message: Message) -> Decoded {
        let properties = message.properties
        if CloudEvents.isStructured(properties.contentType) || readsEnvelopes {
            // What claims to be an envelope and is none is passed on as it is.
            if let decoded = CloudEvents.decode(message.payload) { return decoded }
        }
        var decoded = Decoded(payload: message.payload)
        decoded.attributes = EventAttributes(
            contentType: properties.contentType,
            timeToLive: properties.expiry,
            correlation: properties.correlationData,
            replyTo: properties.responseTopic
        )
        let users = properties.userProperties
        guard !users.isEmpty else { return decoded }
        let isCloudEvent = properties[user: PropertyName.specVersion] != nil
        decoded.attributes.headers = users.compactMap { user in
            let isMetadata =
                PropertyName.ours.contains(user.name) || (isCloudEvent && PropertyName.cloudEvents.contains(user.name))
            return isMetadata ? nil : .init(user.name, user.value)
        }
        let hops = properties[user: PropertyName.hops]
        decoded.hops = hops.flatMap(Self.hops) ?? 0
        if let id = properties[user: PropertyName.id].flatMap(EventID.init(wireText:)) {
            decoded.id = id
            decoded.origin = id.source
            if hops == nil { decoded.hops = 1 }
        } else if isCloudEvent, let tag = properties[user: PropertyName.eventID],
            let source = properties[user: PropertyName.source]
        {
            decoded.id = EventID(source: source, tag: tag)
            decoded.origin = properties[user: PropertyName.origin] ?? source
            decoded.time = properties[user: PropertyName.time].flatMap(Timestamp.init(rfc3339:))
        }
        return decoded
    }

    /// A number of hops that somebody else wrote: absurd ones count as many.
    static func hops(_ text: String) -> Int? {
        Int(text).map { min(max($0, 0), 1_000) }
    }
}
