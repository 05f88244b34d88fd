/// An event of a topic, with its captures as members.
///
/// ```swift
/// bus.on(Topic<Double>("meter.{site}.{number}")) { value, event in
///     let site = try event.site
///     let number: Int = try event.number
/// }
/// ```
@dynamicMemberLookup
public struct TopicEvent: Sendable {
    /// The event.
    public let event: Event

    private let template: EventTemplate

    init(_ event: Event, _ template: EventTemplate) {
        (self.event, self.template) = (event, template)
    }

    /// The text of a capture. For a rest capture, the spelling of its segments, joined by dots.
    ///
    /// - Throws: ``EventBusError`` with code ``EventBusError/Code/wrongCapture``, which is permanent, if the topic has no
    ///   such capture.
    public subscript(dynamicMember name: String) -> String {
        get throws(EventBusError) {
            guard let text = template.capture(name, of: event.name) else {
                throw failure("it has no capture \(name); its captures: \(template.captures.joined(separator: ", "))")
            }
            return text
        }
    }

    /// A capture as a value: an integer, or anything else that a text can be converted to without loss.
    ///
    /// - Throws: ``EventBusError`` with code ``EventBusError/Code/wrongCapture``, which is permanent, if the topic has no
    ///   such capture, or its text is no such value.
    public subscript<Value: LosslessStringConvertible>(dynamicMember name: String) -> Value {
        get throws(EventBusError) {
            let text: String = try self[dynamicMember: name]
            guard let value = Value(text) else { throw failure("the capture \(name) is no \(Value.self)") }
            return value
        }
    }

    private func failure(_ detail: String) -> EventBusError {
        EventBusError(.wrongCapture, operation: "read a capture of topic \(template)", detail: detail)
    }
}

extension EventTemplate {
    /// Returns the text of a capture in a name that matches; nil if there is no such capture.
    func capture(_ capture: String, of name: EventName) -> String? {
        guard let position = template.parts.firstIndex(where: { $0.captureName == capture }) else { return nil }
        let segments = name.escapedSegments.dropFirst(position)
        if case .rest = template.parts[position] { return segments.joined(separator: ".") }
        return segments.first.map(Escaping.unescaped)
    }
}

/// The captures of a topic as key paths, for ``DeliveryMode/keyed(limit:_:)``: `\.id`.
@dynamicMemberLookup
public struct TopicCaptures: Sendable {
    /// One capture.
    public struct Capture: Sendable, Hashable {
        let name: String
    }

    /// The capture of this name.
    public subscript(dynamicMember name: String) -> Capture { Capture(name: name) }
}
