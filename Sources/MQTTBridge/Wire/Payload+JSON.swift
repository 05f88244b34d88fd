public import AsyncEventBus
import FoundationEssentials

extension Payload {
    /// Encodes a value as JSON, with sorted keys.
    ///
    /// - Throws: `EncodingError`.
    public init(json value: some Encodable) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        self.init(Array(try encoder.encode(value)))
    }

    /// Decodes the bytes as JSON.
    ///
    /// - Throws: `DecodingError` with the coding path.
    public func json<Value: Decodable>(as type: Value.Type = Value.self) throws -> Value {
        try JSONDecoder().decode(type, from: Data(bytes))
    }
}
