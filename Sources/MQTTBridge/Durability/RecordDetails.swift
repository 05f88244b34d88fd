import AsyncEventBus
import FoundationEssentials
import Mosquitto

/// The attributes of a record that have no column, as a JSON object; absent members have their default values.
struct RecordDetails: Codable {
    var qos: UInt8?
    var retained: Bool?
    /// Whether a retained message came live, and not because the bridge subscribed.
    var live: Bool?
    var hops: Int?
    var origin: String?
    /// The event's own time, in nanoseconds since 1970; nil if the message has none.
    var time: Int64?
    var contentType: String?
    /// Pairs of name and value.
    var headers: [[String]]?
    /// In nanoseconds.
    var timeToLive: Int64?
    var correlation: Data?
    var replyTo: String?
    var text: Bool?

    /// The text for the record; empty if all members have their default values.
    var encoded: String {
        var members: [(String, String)] = []
        if let qos { members.append(("qos", String(qos))) }
        if let retained { members.append(("retained", String(retained))) }
        if let live { members.append(("live", String(live))) }
        if let hops { members.append(("hops", String(hops))) }
        if let origin { members.append(("origin", JSONText.string(origin))) }
        if let time { members.append(("time", String(time))) }
        if let contentType { members.append(("contentType", JSONText.string(contentType))) }
        if let headers, !headers.isEmpty {
            let pairs = headers.map { "[\($0.map(JSONText.string).joined(separator: ","))]" }
            members.append(("headers", "[\(pairs.joined(separator: ","))]"))
        }
        if let timeToLive { members.append(("timeToLive", String(timeToLive))) }
        if let correlation { members.append(("correlation", JSONText.string(correlation.base64EncodedString()))) }
        if let replyTo { members.append(("replyTo", JSONText.string(replyTo))) }
        if let text { members.append(("text", String(text))) }
        return members.isEmpty ? "" : JSONText.object(members)
    }

    init() {}

    /// Uses the default values if the text cannot be decoded: the message is worth more than its details.
    init(encoded text: String) {
        guard !text.isEmpty, let read = try? JSONDecoder().decode(Self.self, from: Data(text.utf8)) else { return }
        self = read
    }
}

// MARK: Events

extension RecordDetails {
    /// The encoded details of an event. Fast for the common case of all default values.
    static func text(_ event: Event, arrivedAs message: Message, time: Timestamp?) -> String {
        let origin = event.origin
        let isDefault =
            time == nil && message.qos == .atLeastOnce && !message.isRetained && origin.hops == 0
            && origin.bus == event.id.source && event.attributes == EventAttributes()
        return isDefault ? "" : RecordDetails(event, arrivedAs: message, time: time).encoded
    }

    init(_ event: Event, arrivedAs message: Message, time: Timestamp?) {
        let attributes = event.attributes
        if message.qos != .atLeastOnce { qos = message.qos.rawValue }
        if message.isRetained { retained = true }
        if message.isRetained, !event.origin.isReplayed { live = true }
        if event.origin.hops > 0 { hops = event.origin.hops }
        if event.origin.bus != event.id.source { origin = event.origin.bus }
        self.time = time?.nanoseconds
        contentType = attributes.contentType
        if !attributes.headers.isEmpty { headers = attributes.headers.map { [$0.name, $0.value] } }
        timeToLive = attributes.timeToLive?.nanoseconds
        correlation = attributes.correlation.map { Data($0) }
        replyTo = attributes.replyTo
        if attributes.isText { text = true }
    }

    var attributes: EventAttributes {
        EventAttributes(
            contentType: contentType,
            headers: (headers ?? []).compactMap { $0.count == 2 ? .init($0[0], $0[1]) : nil },
            timeToLive: timeToLive.map { .nanoseconds($0) },
            correlation: correlation.map { Array($0) },
            replyTo: replyTo,
            isText: text ?? false
        )
    }
}

// MARK: Messages

extension RecordDetails {
    init(_ properties: MessageProperties) {
        contentType = properties.contentType
        if !properties.userProperties.isEmpty { headers = properties.userProperties.map { [$0.name, $0.value] } }
        timeToLive = properties.expiry?.nanoseconds
        correlation = properties.correlationData.map { Data($0) }
        replyTo = properties.responseTopic
        if properties.isText { text = true }
    }

    var properties: MessageProperties {
        MessageProperties(
            contentType: contentType,
            responseTopic: replyTo,
            correlationData: correlation.map { Array($0) },
            expiry: timeToLive.map { .nanoseconds($0) },
            isText: text ?? false,
            userProperties: (headers ?? []).compactMap { $0.count == 2 ? .init($0[0], $0[1]) : nil }
        )
    }
}
