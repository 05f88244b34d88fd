import AsyncEventBus
import FoundationEssentials

/// CloudEvents 1.0 in the structured JSON mode (CloudEvents JSON format 1.0, MQTT protocol binding 1.0).
///
/// The hop count and the origin are the extension attributes `bridgehops` and `bridgeorigin`; a response topic and
/// correlation data (in base64) are `bridgereplyto` and `bridgecorrelation`. Headers become extension
/// attributes as well, if their names are valid for one; other headers are left out.
enum CloudEvents {
    private static let standard: Set<String> = [
        "specversion", "id", "source", "type", "time", "datacontenttype", "data", "data_base64", PropertyName.id,
        PropertyName.hops, PropertyName.origin, PropertyName.replyTo, PropertyName.correlation,
    ]

    static let contentType = "application/cloudevents+json"

    static func isStructured(_ contentType: String?) -> Bool {
        contentType?.lowercased().hasPrefix(Self.contentType) ?? false
    }

    /// - Parameter replyTopic: The topic for responses; nil for none.
    static func structured(_ event: Event, replyTopic: String? = nil) -> [UInt8] {
        var members = [
            ("specversion", "\"1.0\""),
            ("id", JSONText.string(event.id.tag)),
            ("source", JSONText.string(event.id.source)),
            ("type", JSONText.string(event.name.text)),
            ("time", JSONText.string(event.time.description)),
            (PropertyName.hops, String(event.origin.hops + 1)),
        ]
        if event.origin.bus != event.id.source {
            members.append((PropertyName.origin, JSONText.string(event.origin.bus)))
        }
        if let replyTopic { members.append((PropertyName.replyTo, JSONText.string(replyTopic))) }
        if let correlation = event.attributes.correlation {
            members.append((PropertyName.correlation, JSONText.string(Data(correlation).base64EncodedString())))
        }
        var names: Set<String> = []
        for header in event.attributes.headers where isAttribute(header.name) && names.insert(header.name).inserted {
            members.append((header.name, JSONText.string(header.value)))
        }
        if let type = event.attributes.contentType { members.append(("datacontenttype", JSONText.string(type))) }
        let payload = event.payload
        let isJSON = isJSON(event.attributes.contentType)
        if isJSON, JSONText.isValid(payload.bytes) {
            members.append(("data", String(decoding: payload.bytes, as: UTF8.self)))
        } else if !isJSON, let text = payload.text {
            members.append(("data", JSONText.string(text)))
        } else {
            members.append(("data_base64", JSONText.string(Data(payload.bytes).base64EncodedString())))
        }
        return Array(JSONText.object(members).utf8)
    }

    /// Decodes an envelope; nil if `bytes` is not a valid one.
    static func decode(_ bytes: [UInt8]) -> DecodedMessage? {
        guard let members = JSONText.members(bytes), members["specversion"] != nil,
            let tag = members["id"].flatMap(JSONText.text), let source = members["source"].flatMap(JSONText.text)
        else { return nil }
        let contentType = members["datacontenttype"].flatMap(JSONText.text)
        var decoded = DecodedMessage(payload: payload(members, contentType: contentType))
        decoded.attributes.contentType = contentType
        decoded.attributes.headers = members.keys.sorted().compactMap { name in
            guard !standard.contains(name), let value = members[name] else { return nil }
            return .init(name, JSONText.text(value) ?? String(decoding: value, as: UTF8.self))
        }
        decoded.attributes.replyTo = members[PropertyName.replyTo].flatMap(JSONText.text)
        decoded.attributes.correlation = members[PropertyName.correlation].flatMap(JSONText.text)
            .flatMap { Data(base64Encoded: $0) }.map { Array($0) }
        decoded.id = EventID(source: source, tag: tag)
        decoded.origin = members[PropertyName.origin].flatMap(JSONText.text) ?? source
        decoded.time = members["time"].flatMap(JSONText.text).flatMap(Timestamp.init(rfc3339:))
        decoded.hops =
            members[PropertyName.hops].flatMap { value in
                DecodedMessage.hops(JSONText.text(value) ?? String(decoding: value, as: UTF8.self))
            } ?? 0
        return decoded
    }

    private static func payload(_ members: [String: ArraySlice<UInt8>], contentType: String?) -> [UInt8] {
        if let encoded = members["data_base64"].flatMap(JSONText.text), let data = Data(base64Encoded: encoded) {
            return Array(data)
        }
        guard let data = members["data"] else { return [] }
        // With a JSON content type a string is a JSON value and keeps its quotes; otherwise the payload is its text.
        if !isJSON(contentType), let text = JSONText.text(data) { return Array(text.utf8) }
        return Array(data)
    }

    private static func isJSON(_ contentType: String?) -> Bool {
        guard let type = contentType?.lowercased().prefix(while: { $0 != ";" }) else { return false }
        return type == "application/json" || type == "text/json" || type.hasSuffix("+json")
    }

    /// Attribute names consist of lower-case letters and digits (CloudEvents 1.0).
    private static func isAttribute(_ name: String) -> Bool {
        !name.isEmpty && !standard.contains(name)
            && name.utf8.allSatisfy {
                (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0)
                    || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0)
            }
    }
}

extension Timestamp {
    /// Parses `2026-01-31T08:15:30.25Z`, or the same with an offset, to microseconds; nil for any other text.
    init?(rfc3339 text: String) {
        let style = Date.ISO8601FormatStyle(includingFractionalSeconds: text.contains("."))
        guard let date = try? style.parse(text) else { return nil }
        let seconds = date.timeIntervalSince1970
        guard abs(seconds) < 9e9 else { return nil }
        self.init(nanoseconds: Int64((seconds * 1_000_000).rounded()) * 1_000)
    }
}
