import AsyncEventBus
import Mosquitto

/// Encodes events as messages of one broker, and decodes messages.
struct WireFormat: Sendable {
    let version: ProtocolVersion
    /// Never ``Metadata/automatic``.
    let metadata: Metadata

    init(version: ProtocolVersion, metadata: Metadata) {
        self.version = version
        self.metadata = metadata == .automatic ? (version == .v5 ? .minimal : .none) : metadata
    }

    /// Whether messages carry an identity by which other bridges recognise them.
    var carriesIdentity: Bool { version == .v5 ? metadata != .none : usesEnvelopes }

    /// Whether our publishes come back without a mark that they are ours: MQTT 3.1.1 has no No Local.
    var needsEchoWindow: Bool { version == .v3_1_1 && !carriesIdentity }

    /// - Parameter replyTopic: The topic for responses; nil for none.
    func encode(_ event: Event, topic: String, qos: QoS, retain: Bool, replyTopic: String? = nil) -> Message {
        let payload = usesEnvelopes ? CloudEvents.structured(event, replyTopic: replyTopic) : event.payload.bytes
        guard version == .v5 else { return Message(topic: topic, payload: payload, qos: qos, isRetained: retain) }
        let attributes = event.attributes
        guard !usesEnvelopes else {
            return Message(
                topic: topic,
                payload: payload,
                qos: qos,
                isRetained: retain,
                properties: MessageProperties(
                    contentType: CloudEvents.contentType,
                    responseTopic: replyTopic,
                    correlationData: attributes.correlation,
                    expiry: attributes.timeToLive,
                    isText: true
                )
            )
        }
        return Message(
            topic: topic,
            payload: payload,
            qos: qos,
            isRetained: retain,
            properties: MessageProperties(
                contentType: attributes.contentType,
                responseTopic: replyTopic,
                correlationData: attributes.correlation,
                expiry: attributes.timeToLive,
                isText: attributes.isText,
                userProperties: attributes.headers.isEmpty
                    ? identity(of: event)
                    : headers(attributes) + identity(of: event)
            )
        )
    }

    /// The event's headers without those that use a metadata name: receivers take the first property of a name.
    private func headers(_ attributes: EventAttributes) -> [MessageProperties.UserProperty] {
        attributes.headers.compactMap { header in
            let isMetadata =
                PropertyName.ours.contains(header.name)
                || (metadata == .cloudevents && PropertyName.cloudEvents.contains(header.name))
            return isMetadata ? nil : .init(header.name, header.value)
        }
    }

    private func identity(of event: Event) -> [MessageProperties.UserProperty] {
        let hops = event.origin.hops + 1
        switch metadata {
        case .none, .automatic, .envelope:
            return []
        case .minimal:
            let id = MessageProperties.UserProperty(PropertyName.id, event.id.wireText)
            // Each property costs libmosquitto more than the message does, so a hop count of 1 is left out.
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

    /// Whether payloads are CloudEvents envelopes: sent as such, and read as such even without a content type.
    var usesEnvelopes: Bool { metadata == .envelope || version == .v3_1_1 && metadata == .cloudevents }

    func decode(_ message: Message) -> DecodedMessage {
        var decoded = decodeMetadata(message)
        // With `metadata: none` no bridge writes identities, so any client could have written this one.
        if metadata == .none { (decoded.id, decoded.origin, decoded.hops) = (nil, nil, 0) }
        return decoded
    }

    private func decodeMetadata(_ message: Message) -> DecodedMessage {
        let properties = message.properties
        if CloudEvents.isStructured(properties.contentType) || usesEnvelopes {
            // An invalid envelope is forwarded unchanged.
            if var decoded = CloudEvents.decode(message.payload) {
                decoded.attributes.timeToLive = properties.expiry
                return decoded
            }
        }
        var decoded = DecodedMessage(payload: message.payload)
        decoded.attributes = EventAttributes(
            contentType: properties.contentType,
            timeToLive: properties.expiry,
            correlation: properties.correlationData,
            replyTo: properties.responseTopic,
            // A broker that validates UTF-8 would refuse a message with a false payload format indicator.
            isText: properties.isText && String(validating: message.payload, as: UTF8.self) != nil
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
        decoded.hops = hops.flatMap(DecodedMessage.hops) ?? 0
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
}

extension Broker {
    /// The wire format for the broker's protocol version and metadata.
    var wireFormat: WireFormat {
        WireFormat(version: options.version, metadata: metadata)
    }
}
