import AsyncEventBus
import MessageStore
import Mosquitto

/// Converts events and messages to records of the store, and back.
enum RecordCodec {
    static func inbound(
        _ event: Event,
        _ message: Message,
        route: Route,
        listeners: [String],
        eventTime: Timestamp?,
        now: Int64
    ) -> InboundRecord {
        InboundRecord(
            sequence: 0,
            route: route.name,
            broker: route.broker,
            topic: message.topic,
            event: event.name.text,
            source: event.id.source,
            tag: event.id.tag,
            payload: event.payload.bytes,
            details: RecordDetails.text(event, arrivedAs: message, time: eventTime),
            time: now,
            expires: expiry(now, route.timeToLive, event.attributes.timeToLive),
            listeners: listeners
        )
    }

    static func event(_ record: InboundRecord, link: String, context: BridgeContext) -> Event {
        let details = RecordDetails(encoded: record.details)
        let route = context.routes.now.routes.first { $0.name == record.route }
        return Event(
            id: EventID(source: record.source, tag: record.tag),
            name: (try? EventName(record.event)) ?? "unreadable",
            payload: Payload(record.payload),
            time: Timestamp(nanoseconds: details.time ?? record.time),
            origin: EventOrigin(
                bus: details.origin ?? record.source,
                transport: MQTTDetails(
                    broker: record.broker,
                    link: link,
                    topic: record.topic,
                    qos: details.qos.flatMap(QoS.init(rawValue:)) ?? .atLeastOnce,
                    isRetained: details.retained ?? false,
                    route: route?.name ?? record.route,
                    carriesIdentity: record.source != context.bus.source,
                    isForwarded: true
                ),
                hops: details.hops ?? 0,
                isReplayed: details.retained ?? false && !(details.live ?? false)
            ),
            attributes: details.attributes
        )
    }

    static func outbound(_ event: Event, _ message: Message, route: Route, now: Int64) -> OutboundRecord {
        OutboundRecord(
            sequence: 0,
            route: route.name,
            broker: route.broker,
            topic: message.topic,
            event: event.name.text,
            source: event.id.source,
            tag: event.id.tag,
            payload: message.payload,
            details: RecordDetails(message.properties).encoded,
            qos: message.qos.rawValue,
            isRetained: message.isRetained,
            time: now,
            expires: expiry(now, route.timeToLive, event.attributes.timeToLive)
        )
    }

    static func message(_ record: OutboundRecord) -> Message {
        Message(
            topic: record.topic,
            payload: record.payload,
            qos: QoS(rawValue: record.qos) ?? .atLeastOnce,
            isRetained: record.isRetained,
            properties: RecordDetails(encoded: record.details).properties
        )
    }

    private static func expiry(_ now: Int64, _ spans: Duration?...) -> Int64? {
        guard spans.contains(where: { $0 != nil }) else { return nil }
        return spans.compactMap { $0 }.min().map { span in
            let (sum, isTooLarge) = now.addingReportingOverflow(span.nanoseconds)
            return isTooLarge ? .max : sum
        }
    }
}

extension DeadLetter {
    init(_ record: InboundRecord, listener: String, error: String, attempts: Int, died: Int64) {
        self.init(
            direction: .inbound,
            route: record.route,
            broker: record.broker,
            topic: record.topic,
            event: record.event,
            source: record.source,
            tag: record.tag,
            payload: record.payload,
            payloadSize: record.payload.count,
            details: record.details,
            listener: listener,
            error: escapedForLog(error, limit: 1_000),
            attempts: attempts,
            time: record.time,
            died: died
        )
    }

    init(_ record: OutboundRecord, error: String, attempts: Int, died: Int64) {
        self.init(
            direction: .outbound,
            route: record.route,
            broker: record.broker,
            topic: record.topic,
            event: record.event,
            source: record.source,
            tag: record.tag,
            payload: record.payload,
            payloadSize: record.payload.count,
            details: record.details,
            qos: record.qos,
            isRetained: record.isRetained,
            error: escapedForLog(error, limit: 1_000),
            attempts: attempts,
            time: record.time,
            died: died
        )
    }
}

extension InboundRecord {
    /// The replay of a dead letter for the listener that failed.
    init(_ letter: DeadLetter, _ payload: [UInt8], sequence: Int64, now: Int64) {
        self.init(
            sequence: sequence,
            route: letter.route,
            broker: letter.broker,
            topic: letter.topic,
            event: letter.event,
            source: letter.source,
            tag: letter.tag,
            payload: payload,
            details: letter.details,
            time: now,
            listeners: [letter.listener]
        )
    }
}

extension OutboundRecord {
    /// The replay of a dead letter that is to be published again.
    init(_ letter: DeadLetter, _ payload: [UInt8], sequence: Int64, now: Int64) {
        self.init(
            sequence: sequence,
            route: letter.route,
            broker: letter.broker,
            topic: letter.topic,
            event: letter.event,
            source: letter.source,
            tag: letter.tag,
            payload: payload,
            details: letter.details,
            qos: letter.qos,
            isRetained: letter.isRetained,
            time: now
        )
    }
}
