public import AsyncEventBus

extension PayloadCodec where Value: Codable {
    /// JSON, with sorted keys.
    public static var json: PayloadCodec {
        PayloadCodec(standard: "json", mediaType: "application/json") { value in
            try Payload(json: value).bytes
        } decode: { bytes in
            try Payload(bytes).json(as: Value.self)
        }
    }
}

extension Topic where Value: Codable {
    /// Declares a topic whose payloads are JSON.
    public init(_ template: EventTemplate) { self.init(template, .json) }
}

extension Topic where Value: Codable & LosslessStringConvertible {
    /// Declares a topic whose payloads are the text of the values, `21.5` or `on`; or JSON, if their content type says so.
    public init(_ template: EventTemplate) { self.init(template, .text, .json) }
}

extension RequestTopic where Request: Codable, Response: Codable {
    /// Declares a topic whose requests and responses are JSON.
    public init(_ template: EventTemplate) { self.init(template, request: .json, response: .json) }
}
