/// The name of one event of a topic, with values for its captures: `Site.pressure(id: "m1")`.
public struct TopicName<Value: Sendable>: Sendable {
    /// The topic.
    public let topic: Topic<Value>
    /// The name.
    public let name: EventName

    init(topic: Topic<Value>, name: EventName) {
        (self.topic, self.name) = (topic, name)
    }
}

/// What an event can be emitted to: a name of a topic, or a topic without captures.
public protocol TopicAddress<Value>: Sendable {
    /// The type of the values.
    associatedtype Value: Sendable

    /// The topic.
    var topic: Topic<Value> { get }

    /// Returns the name of the event.
    ///
    /// - Throws: ``EventBusError`` with code ``EventBusError/Code/wrongCapture`` if a capture has no value.
    func eventName() throws(EventBusError) -> EventName
}

extension TopicName: TopicAddress {
    /// Returns the name.
    public func eventName() -> EventName { name }
}

extension Topic: TopicAddress {
    /// The topic itself.
    public var topic: Topic { self }

    /// Returns the only name of a topic without captures.
    public func eventName() throws(EventBusError) -> EventName { try template.name(with: [:]) }
}

extension EventTemplate {
    /// Returns the name with these values for the captures.
    func name(with values: KeyValuePairs<String, any LosslessStringConvertible>) throws(EventBusError) -> EventName {
        func failure(_ detail: String) -> EventBusError {
            EventBusError(.wrongCapture, operation: "name an event of topic \(self)", detail: detail)
        }
        for (name, _) in values where !captures.contains(name) {
            throw failure("it has no capture \(name); its captures: \(captures.joined(separator: ", "))")
        }
        var segments: [Substring] = []
        for part in template.parts {
            guard let capture = part.captureName else {
                if case .literal(let text) = part { segments.append(Escaping.escaped(text)[...]) }
                continue
            }
            guard let value = values.first(where: { $0.key == capture })?.value.description else {
                throw failure("the capture \(capture) has no value")
            }
            guard case .rest = part else {
                segments.append(Escaping.escaped(value)[...])
                continue
            }
            if !value.isEmpty { segments += value.segmentsBetweenDots }
        }
        do throws(EventBusError) {
            return try EventName(segments.joined(separator: "."))
        } catch {
            throw failure("with these values: \(error.detail)")
        }
    }
}
