import AsyncEventBus
import Foundation
import MQTTBridge
import MessageStore
import Mosquitto

/// The printed forms of a dead letter. Texts from the network are escaped.
extension DeadLetter {
    /// One line for people.
    var line: String {
        let way = direction == .inbound ? [topic, event] : [event, topic]
        let names = way.map { escapedForLog($0) }.joined(separator: " -> ")
        let who = listener.isEmpty ? "" : "\(escapedForLog(listener, limit: 80)): "
        let what = "\(who)\(escapedForLog(error)) (attempts: \(attempts))"
        let asked = isReplayRequested ? ", to run again" : ""
        return "\(number)  \(Timestamp(nanoseconds: died))  \(direction.rawValue)  \(names)  \(what)\(asked)"
    }

    /// One line for programs.
    var json: String { JSONText.object(members) }

    /// As ``json``, with the payload, the QoS, the retain flag and the details.
    var fullJSON: String {
        var members = members
        switch (payload, shownText) {
        case (nil, _): members.append(("payload", "null"))
        case (_, let text?): members.append(("payload", JSONText.string(text)))
        case (let bytes?, nil):
            members.append(("payload_base64", JSONText.string(Data(bytes).base64EncodedString())))
        }
        members += [("qos", String(qos)), ("retain", String(isRetained)), ("details", detailsJSON)]
        return JSONText.object(members)
    }

    /// One line for each field.
    var fullText: String {
        let shownPayload =
            switch (payload, shownText) {
            case (nil, _): "too large to be kept"
            case (_, let text?): escapedForLog(text, limit: .max)
            case (let bytes?, nil): "base64 \(Data(bytes).base64EncodedString())"
            }
        return """
            number     \(number)
            direction  \(direction.rawValue)
            route      \(escapedForLog(route, limit: 4_096))
            broker     \(escapedForLog(broker, limit: 4_096))
            topic      \(escapedForLog(topic, limit: .max))
            event      \(escapedForLog(event, limit: .max))
            id         \(escapedForLog(identity, limit: .max))
            listener   \(listener.isEmpty ? "none" : escapedForLog(listener, limit: 4_096))
            error      \(escapedForLog(error, limit: .max))
            attempts   \(attempts)
            came       \(Timestamp(nanoseconds: time))
            given up   \(Timestamp(nanoseconds: died))
            replay     \(isReplayRequested ? "requested" : "not requested")
            qos        \(qos)
            retain     \(isRetained)
            details    \(details.isEmpty ? "none" : escapedForLog(details, limit: .max))
            size       \(payloadSize) bytes
            payload    \(shownPayload)
            """
    }

    private var identity: String { "\(source)/\(tag)" }

    private var shownText: String? { payload.flatMap { String(validating: $0, as: UTF8.self) } }

    private var members: [(String, String)] {
        [
            ("number", String(number)), ("direction", JSONText.string(direction.rawValue)),
            ("route", JSONText.string(route)), ("broker", JSONText.string(broker)),
            ("topic", JSONText.string(topic)), ("event", JSONText.string(event)),
            ("id", JSONText.string(identity)),
            ("listener", listener.isEmpty ? "null" : JSONText.string(listener)),
            ("error", JSONText.string(error)), ("attempts", String(attempts)),
            ("payload_size", String(payloadSize)),
            ("time", JSONText.string(Timestamp(nanoseconds: time).description)),
            ("died", JSONText.string(Timestamp(nanoseconds: died).description)),
            ("replay_requested", String(isReplayRequested)),
        ]
    }

    /// The details as the JSON object that a bridge has written; null if they are no object.
    private var detailsJSON: String {
        let object = try? JSONSerialization.jsonObject(with: Data(details.utf8)) as? [String: Any]
        return object == nil ? "null" : details
    }
}
