import AsyncEventBus

@testable import MQTTBridge

/// An event of the bridge about itself, with the members of its payload as text.
struct Report: Sendable, CustomStringConvertible {
    let event: Event
    private let members: [String: String]

    init(_ event: Event) {
        self.event = event
        members = (JSONText.members(event.payload.bytes) ?? [:]).mapValues {
            JSONText.text($0) ?? String(decoding: $0, as: UTF8.self)
        }
    }

    var name: String { event.name.text }

    subscript(_ member: String) -> String? { members[member] }

    var description: String { "\(name) \(event.payload.text ?? "")" }
}
