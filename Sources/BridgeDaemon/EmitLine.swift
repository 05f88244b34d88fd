internal import AsyncEventBus
internal import Foundation
internal import MQTTBridge
internal import Mosquitto

/// A line of standard input: `{"event": NAME, "payload": VALUE}`, and optionally `content_type`, `payload_base64` and
/// `headers`. A payload that is not a string is sent as its JSON text.
struct EmitLine {
    struct Mistake: Error {
        let text: String
    }

    let name: EventName
    let payload: Payload
    let attributes: EventAttributes

    private static let known: Set<String> = ["event", "payload", "payload_base64", "content_type", "headers"]

    init(_ line: InputLine) throws {
        guard !line.isTooLong else {
            throw Mistake(text: "longer than \(LineBuffer.longestLine >> 20) MiB; publish less at a time")
        }
        guard let members = JSONText.members(line.bytes) else { throw Self.mistake(line.bytes) }
        if let unknown = members.keys.sorted().first(where: { !Self.known.contains($0) }) {
            throw Mistake(text: "unknown key \"\(escapedForLog(unknown))\"; known are \(Self.known.sorted())")
        }
        guard let text = members["event"].flatMap(JSONText.text) else {
            throw Mistake(text: "\"event\" is missing or no string")
        }
        do {
            name = try EventName(text)
        } catch {
            throw Mistake(text: escapedForLog("\(error)", limit: 400))
        }
        payload = try Self.payload(members)
        var attributes = EventAttributes(
            contentType: members["content_type"].flatMap(JSONText.text),
            isText: members["payload"] != nil
        )
        if let headers = members["headers"] {
            guard let pairs = JSONText.members(Array(headers)) else {
                throw Mistake(text: "\"headers\" is no object; write {\"name\": \"value\"}")
            }
            attributes.headers = pairs.keys.sorted().compactMap { name in
                pairs[name].map { .init(name, JSONText.text($0) ?? String(decoding: $0, as: UTF8.self)) }
            }
        }
        self.attributes = attributes
    }

    /// Returns the reason why bytes are not a JSON object.
    private static func mistake(_ bytes: [UInt8]) -> Mistake {
        if String(validating: bytes, as: UTF8.self) == nil {
            return Mistake(text: "not UTF-8; write texts in UTF-8, and a payload of other bytes as \"payload_base64\"")
        }
        if JSONText.holdsHalfPair(bytes) {
            return Mistake(
                text: "half of a surrogate pair (\\ud800 to \\udfff) is no character; write both halves, or a payload "
                    + "of other bytes as \"payload_base64\""
            )
        }
        return Mistake(text: "not a JSON object; write {\"event\": \"a.b\", \"payload\": \"text\"}")
    }

    private static func payload(_ members: [String: ArraySlice<UInt8>]) throws -> Payload {
        if let encoded = members["payload_base64"] {
            guard members["payload"] == nil, let bytes = JSONText.text(encoded).flatMap({ Data(base64Encoded: $0) })
            else {
                throw Mistake(text: "\"payload_base64\" is no base64, or stands beside \"payload\"")
            }
            return Payload(Array(bytes))
        }
        guard let value = members["payload"] else { return .empty }
        return JSONText.text(value).map { Payload($0) } ?? Payload(Array(value))
    }
}
