internal import AsyncEventBus
internal import Foundation
internal import Glibc
internal import MQTTBridge
internal import Mosquitto

/// The format of an event on one line.
package enum EventFormat: String, Sendable, CaseIterable {
    case text
    case json

    func line(for event: Event, colours: Bool = false) -> String {
        switch self {
        case .text: text(event, colours: colours)
        case .json: json(event)
        }
    }

    private func json(_ event: Event) -> String {
        func string(_ text: String?) -> String { text.map { JSONText.string($0) } ?? "null" }
        let mqtt = event.mqtt
        var members = [("event", string(event.name.text)), ("topic", string(mqtt?.topic))]
        if let text = event.payload.text {
            members.append(("payload", string(text)))
        } else {
            members.append(("payload_base64", string(Data(event.payload.bytes).base64EncodedString())))
        }
        members += [
            ("qos", mqtt.map { String($0.qos.rawValue) } ?? "null"),
            ("retained", String(event.origin.isReplayed)),
            ("origin", string(event.origin.bus)),
            ("route", string(mqtt?.route)),
            ("id", string(event.id.description)),
            ("time", string(event.time.description)),
            ("broker", string(mqtt?.broker)),
            ("hops", String(event.origin.hops)),
        ]
        if event.attempt > 1 { members.append(("attempt", String(event.attempt))) }
        if let type = event.attributes.contentType { members.append(("content_type", string(type))) }
        if !event.attributes.headers.isEmpty {
            let headers = event.attributes.headers.map { "[\(string($0.name)),\(string($0.value))]" }
            members.append(("headers", "[\(headers.joined(separator: ","))]"))
        }
        return JSONText.object(members)
    }

    private func text(_ event: Event, colours: Bool) -> String {
        let (dim, bold, plain) = colours ? ("\u{1B}[2m", "\u{1B}[1m", "\u{1B}[0m") : ("", "", "")
        let kept = event.origin.isReplayed ? " \(dim)(retained)\(plain)" : ""
        let name = escapedForLog(event.name.text, limit: 4_096)
        return "\(dim)\(Self.clock(event.time))\(plain) \(bold)\(name)\(plain) \(Self.shown(event.payload))\(kept)"
    }

    /// Returns the text with control characters escaped, or the first 64 bytes in hexadecimal if it is not text.
    private static func shown(_ payload: Payload) -> String {
        if let text = payload.text { return escapedForLog(text, limit: 65_536) }
        let hex = payload.bytes.prefix(64).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        return "<\(payload.bytes.count) bytes: \(hex)\(payload.bytes.count > 64 ? "…" : "")>"
    }

    /// Returns the local time of day, with milliseconds.
    private static func clock(_ time: Timestamp) -> String {
        var seconds = time_t(time.nanoseconds / 1_000_000_000)
        var parts = tm()
        localtime_r(&seconds, &parts)
        func padded(_ number: Int, _ width: Int) -> String {
            let digits = String(number)
            return String(repeating: "0", count: max(0, width - digits.count)) + digits
        }
        let milliseconds = padded(Int(time.nanoseconds / 1_000_000 % 1_000), 3)
        return
            "\(padded(Int(parts.tm_hour), 2)):\(padded(Int(parts.tm_min), 2)):\(padded(Int(parts.tm_sec), 2)).\(milliseconds)"
    }
}
