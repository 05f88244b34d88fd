/// A declaration of events: their names, with captures, and the type of their value.
///
/// ```swift
/// enum Site {
///     static let pressure = Topic<Reading>("meter.{id}.pressure")
///     static let alarm = Topic<String>("alarm")
/// }
/// bus.on(Site.pressure, delivery: .keyed(\.id)) { reading, event in print(try event.id, reading.bar) }
/// try bus.emit(Site.pressure(id: "m1"), Reading(bar: 6.2))
/// try bus.emit(Site.alarm, "too much pressure")
/// ```
///
/// Values cross the bus as they are. A value becomes bytes only if a transport takes its event, once for all transports;
/// the bytes of a message become a value once for each codec, whatever the number of listeners.
///
/// Without a codec the events of a topic stay in the process: a transport cannot take them.
@dynamicCallable
public struct Topic<Value: Sendable>: Sendable {
    /// The names of the events.
    public let template: EventTemplate

    private let codecs: [PayloadCodec<Value>]

    /// Declares a topic without a codec.
    public init(_ template: EventTemplate) {
        self.template = template
        codecs = []
    }

    /// Declares a topic with codecs.
    ///
    /// - Parameters:
    ///   - template: The names of the events, with captures.
    ///   - codec: Encodes all values, and decodes payloads without a content type or with an unknown one.
    ///   - others: Decode payloads whose content type is their media type.
    public init(_ template: EventTemplate, _ codec: PayloadCodec<Value>, _ others: PayloadCodec<Value>...) {
        self.template = template
        codecs = [codec] + others
    }

    /// Returns the name of an event with these values for the captures: `Site.pressure(id: "m1")`.
    ///
    /// A value stands for one segment, whatever text it is. The value for a rest capture is a spelling: its dots separate
    /// segments, and the empty text stands for none.
    ///
    /// - Throws: ``EventBusError`` with code ``EventBusError/Code/wrongCapture`` if a capture has no value, or a value no
    ///   capture.
    public func dynamicallyCall(
        withKeywordArguments values: KeyValuePairs<String, any LosslessStringConvertible>
    ) throws(EventBusError) -> TopicName<Value> {
        TopicName(topic: self, name: try template.name(with: values))
    }

    /// The media type of encoded values.
    var mediaType: String? { codecs.first?.mediaType }

    /// Returns the payload of a value.
    ///
    /// - Parameter isNeeded: Whether to encode it now.
    /// - Throws: The error of the codec; ``EventBusError`` with code ``EventBusError/Code/noCodec``.
    func payload(_ value: Value, isNeeded: Bool) throws -> Payload {
        let encode: @Sendable (Value) throws -> [UInt8] = { [template, codec = codecs.first] value in
            guard let codec else {
                throw EventBusError(
                    .noCodec,
                    operation: "encode a \(Value.self) for topic \(template)",
                    detail:
                        "a transport takes its events: declare the topic with a codec, or make \(Value.self) Codable"
                )
            }
            return try codec.encode(value)
        }
        let bytes = isNeeded ? try encode(value) : nil
        return Payload(EncodableValue(value, bytes: bytes, encode: encode))
    }

    /// Returns the value of an event.
    ///
    /// - Throws: ``PayloadDecodingError``.
    public func value(of event: Event) throws(PayloadDecodingError) -> Value {
        if let value = event.payload.value?.value as? Value { return value }
        let type = event.attributes.contentType
        let chosen = type.flatMap { type in codecs.first { $0.accepts(type) } } ?? codecs.first
        guard let codec = chosen else {
            throw PayloadDecodingError(
                "\(Value.self)",
                EventBusError(.noCodec, operation: "decode an event of topic \(template)", detail: "it has no codec")
            )
        }
        do {
            return try event.decodedValues.value(for: codec.id) { try codec.decode(event.payload.encoded()) }
        } catch {
            throw PayloadDecodingError("\(Value.self)", error)
        }
    }
}

extension Topic<[UInt8]> {
    /// Declares a topic whose values are the bytes of the payload.
    public init(_ template: EventTemplate) { self.init(template, .bytes) }
}

extension Topic where Value: LosslessStringConvertible {
    /// Declares a topic whose payloads are the text of the values: `21.5`, `on`.
    public init(_ template: EventTemplate) { self.init(template, .text) }
}
